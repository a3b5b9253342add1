/** Who the end-to-end tests set the home up with. */
export const administrator = {
  homeName: 'Linden Street 4',
  name: 'Ada',
  email: 'ada@home.example',
  password: 'a kettle on the hearth',
}

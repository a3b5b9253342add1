export const creation = {
  phases: {
    image: 'Image',
    disk: 'Disk',
    seed: 'Cloud-init',
    network: 'Network',
    start: 'Start',
  },
  leave: 'You can leave this page; it goes on by itself.',
  cancel: 'Cancel creation',
  cancelling: 'It is being cancelled. What was made so far is removed.',
  confirm: {
    title: (name: string) => `Cancel the creation of ${name}?`,
    text: 'What was made so far is removed, and its quota is free again. An image that is still on its way goes on.',
    keep: 'Go on creating',
  },
  cancelled: (name: string) => `The creation of ${name} is cancelled`,
}

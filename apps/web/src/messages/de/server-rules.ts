/** What a form is told when the server does not take it, in German (see server.ts). */
export const rules: Readonly<Record<string, string>> = {
  // Names and texts.
  'Give it a name.': 'Gib einen Namen an.',
  'Give the image a name.': 'Gib dem Abbild einen Namen.',
  'A name has at most 63 characters.': 'Ein Name hat höchstens 63 Zeichen.',
  'A name has at most 100 characters.': 'Ein Name hat höchstens 100 Zeichen.',
  'A name cannot hold control characters.': 'Ein Name kann keine Steuerzeichen enthalten.',
  'Use lower-case letters, digits and hyphens; begin and end with a letter or digit.':
    'Nimm Kleinbuchstaben, Ziffern und Bindestriche; am Anfang und am Ende einen Buchstaben oder eine Ziffer.',
  'Use lower-case letters, digits, hyphens and underscores; begin with a letter.':
    'Nimm Kleinbuchstaben, Ziffern, Binde- und Unterstriche; am Anfang einen Buchstaben.',
  'A description has at most 500 characters.': 'Eine Beschreibung hat höchstens 500 Zeichen.',
  'At most 100 characters.': 'Höchstens 100 Zeichen.',
  'At most 500 characters.': 'Höchstens 500 Zeichen.',
  'A label key has at most 63 letters, digits, ., _ and -.':
    'Der Name eines Labels hat höchstens 63 Buchstaben, Ziffern, ., _ und -.',
  'A label value has at most 63 letters, digits, ., _ and -.':
    'Der Wert eines Labels hat höchstens 63 Buchstaben, Ziffern, ., _ und -.',
  'At most 64 labels.': 'Höchstens 64 Labels.',

  // People and how they sign in.
  'Give an e-mail address.': 'Gib eine E-Mail-Adresse an.',
  'A password has at least {} characters.': 'Ein Passwort hat mindestens {} Zeichen.',
  'A password has at most 128 characters.': 'Ein Passwort hat höchstens 128 Zeichen.',
  'A password has at most 256 characters.': 'Ein Passwort hat höchstens 256 Zeichen.',
  'A password cannot hold control characters.': 'Ein Passwort kann keine Steuerzeichen enthalten.',
  'Give a password, or leave it out.': 'Gib ein Passwort an, oder lass es weg.',
  'A user name has lower-case letters, digits, hyphens and underscores.':
    'Ein Benutzername hat Kleinbuchstaben, Ziffern, Binde- und Unterstriche.',
  'Root cannot be the login user; name a person, then use sudo.':
    'Mit root meldet man sich nicht an; nenne eine Person und nimm dann sudo.',
  'The password could not be prepared.': 'Das Passwort konnte nicht vorbereitet werden.',
  'The password could not be prepared: openssl is missing on this machine.':
    'Das Passwort konnte nicht vorbereitet werden: Auf dieser Maschine fehlt openssl.',
  'Paste a public SSH key.': 'Füge einen öffentlichen SSH-Schlüssel ein.',
  'That is a private key. Keep it to yourself and paste the public one (the file ending in .pub).':
    'Das ist ein privater Schlüssel. Behalte ihn für dich und füge den öffentlichen ein (die Datei mit .pub am Ende).',
  'Paste one key at a time: a public key is a single line.':
    'Füge einen Schlüssel nach dem anderen ein: Ein öffentlicher Schlüssel ist eine einzige Zeile.',
  'That is not a public SSH key: it begins with ssh-ed25519, ssh-rsa or ecdsa-sha2-….':
    'Das ist kein öffentlicher SSH-Schlüssel: Der beginnt mit ssh-ed25519, ssh-rsa oder ecdsa-sha2-….',
  'The key’s comment holds control characters.': 'Der Kommentar des Schlüssels enthält Steuerzeichen.',
  'The key is damaged or cut short. Copy the whole line again.':
    'Der Schlüssel ist beschädigt oder abgeschnitten. Kopiere die ganze Zeile noch einmal.',
  'Start Hearth again: it prints a new one.': 'Starte Hearth neu: Es gibt einen neuen aus.',
  'Set Hearth up first.': 'Richte Hearth zuerst ein.',
  'Set Hearth up first, with the link it printed.':
    'Richte Hearth zuerst ein, mit dem Link, den es ausgegeben hat.',

  // Sizes, limits and ports.
  'Memory is a whole number of MiB.': 'Speicher ist eine ganze Zahl von MiB.',
  'A disk is a whole number of MiB.': 'Eine Platte ist eine ganze Zahl von MiB.',
  'At least 64 MiB.': 'Mindestens 64 MiB.',
  'At least 50 %.': 'Mindestens 50 %.',
  'At most 400 %.': 'Höchstens 400 %.',
  'User data has at most 64 KiB.': 'Der cloud-init-Text hat höchstens 64 KiB.',
  'A limit is of bytes, of operations, or of both.':
    'Eine Grenze gilt für Bytes, für Vorgänge oder für beides.',
  'The host has one CPU; the VM cannot have {}.': 'Der Host hat eine CPU; die VM kann nicht {} haben.',
  'The host has {} CPUs; the VM cannot have {}.': 'Der Host hat {} CPUs; die VM kann nicht {} haben.',
  'The host has {} of memory; choose less.': 'Der Host hat {} Speicher; wähle weniger.',
  "The host's storage is {}; choose a smaller disk.":
    'Der Plattenplatz des Hosts ist {}; wähle eine kleinere Platte.',
  'The name of a bridge has at most 15 letters, digits, dots and hyphens.':
    'Der Name einer Brücke hat höchstens 15 Buchstaben, Ziffern, Punkte und Bindestriche.',
  'A port is a whole number.': 'Ein Port ist eine ganze Zahl.',
  'A port is a number from 1 to 65535.': 'Ein Port ist eine Zahl von 1 bis 65535.',
  'Port {} is kept for SSH of the host itself. Choose another one, for example {}.':
    'Port {} ist für SSH des Hosts selbst reserviert. Wähle einen anderen, zum Beispiel {}.',
  'Port {} is kept for the DNS of the VMs. Choose another one, for example {}.':
    'Port {} ist für DNS der VMs reserviert. Wähle einen anderen, zum Beispiel {}.',
  'Port {} is kept for the DHCP of the VMs. Choose another one, for example {}.':
    'Port {} ist für DHCP der VMs reserviert. Wähle einen anderen, zum Beispiel {}.',
  'Port {} is kept for the DHCP of the host. Choose another one, for example {}.':
    'Port {} ist für DHCP des Hosts reserviert. Wähle einen anderen, zum Beispiel {}.',
  'Port {} is kept for the agent of the host. Choose another one, for example {}.':
    'Port {} ist für den Agenten des Hosts reserviert. Wähle einen anderen, zum Beispiel {}.',
  'A VM has at most {} forwarded ports.': 'Eine VM hat höchstens {} weitergeleitete Ports.',
  'A port of the host can lead to one port of the guest only.':
    'Ein Port des Hosts kann nur zu einem Port des Gasts führen.',
  'A range of ports begins with the lower one.': 'Ein Bereich von Ports beginnt mit dem kleineren.',
  '{} has no bridge {}.': '{} hat keine Brücke {}.',

  // Images.
  'A checksum is a SHA-256 (64 digits) or a SHA-512 (128 digits) in hexadecimal.':
    'Eine Prüfsumme ist SHA-256 (64 Stellen) oder SHA-512 (128 Stellen), hexadezimal.',
  'An address begins with https:// or http:// and names a file.':
    'Eine Adresse beginnt mit https:// oder http:// und nennt eine Datei.',
  'The file is empty.': 'Die Datei ist leer.',
  'The file is larger than Hearth takes.': 'Die Datei ist größer, als Hearth sie nimmt.',

  // What a request by hand lacks.
  ...Object.fromEntries(
    ['SSH key', 'VM', 'action', 'image', 'project', 'request', 'snapshot', 'volume'].map((what) => [
      `Say which ${what}: its id is missing.`,
      'Es fehlt, was gemeint ist: die Kennung.',
    ]),
  ),
}

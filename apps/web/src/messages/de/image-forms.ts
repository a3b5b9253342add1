import type { Messages } from '../index.ts'

export const imageForms: Messages['imageForms'] = {
  name: 'Name',
  namePlaceholder: 'Debian mit unseren Werkzeugen',
  nameMissing: 'Gib dem Abbild einen Namen.',
  description: 'Beschreibung',
  visibility: 'Wer es benutzen darf',
  visibilities: { project: 'Mein Projekt', home: 'Alle im Haus' },
  visibilityWhy: 'Nur ein Administrator kann ein Abbild dem ganzen Haus geben.',
  cloudInit: 'Es hat cloud-init',
  cloudInitHint:
    'Cloud-Abbilder aller Distributionen haben es. Benutzer, Schlüssel und Name werden dann beim ersten Start gesetzt.',
  loginUser: 'Anmeldename',
  loginUserHint: 'Der Benutzer, den cloud-init anlegt, wenn niemand einen nennt: debian, ubuntu oder fedora.',
  loginUserMissing: 'Nenne den Anmeldenamen, oder sag, dass es kein cloud-init hat.',
  checksum: 'Prüfsumme (freiwillig)',
  checksumHint:
    'SHA-256 oder SHA-512, wie der Herausgeber sie zeigt. Eine Datei, die abweicht, wird verworfen.',
  import: {
    title: 'Ein Abbild von einer Adresse holen',
    text: 'Hearth holt die Datei selbst, macht nach einer gebrochenen Verbindung weiter, prüft sie und macht eine Platte daraus. qcow2, rohe Platten und ISO-Dateien.',
    url: 'Adresse',
    urlHint: 'Der Datei selbst, nicht einer Seite über sie.',
    urlMissing: 'Gib eine Adresse an, die mit https:// oder http:// beginnt und eine Datei nennt.',
    submit: 'Holen',
    ownNetwork: 'Adressen im eigenen Netz erlauben',
    ownNetworkHint:
      'Aus ist sicher: Wer Abbilder holen darf, könnte sonst diese Box Geräte im Haus fragen lassen. Gilt für das ganze Haus.',
    ownNetworkWhy: 'Nur ein Administrator kann das ändern. Ohne das gehen nur öffentliche Adressen.',
  },
  upload: {
    title: 'Ein Abbild hochladen',
    text: 'Eine qcow2-, rohe Platten- oder ISO-Datei von diesem Gerät, beliebig groß. Leerer Platz wird nicht geschickt. Du kannst derweil im Portal woanders hingehen.',
    file: 'Datei',
    fileHint: 'Was sie ist, zeigt ihr Inhalt, nicht ihr Name.',
    fileMissing: 'Wähle eine Datei.',
    submit: 'Hochladen',
    progress: (name) => `Hochladen von ${name}`,
    phase: {
      sending: 'Wird hochgeladen',
      waiting: 'Die Verbindung ist weg; es geht von selbst weiter, wenn sie zurück ist',
      finishing: 'Wird übergeben',
      refused: 'Angehalten',
    },
    paused: (file) => `Angehalten. Wähle ${file} noch einmal, um dort weiterzumachen.`,
    goOn: 'Datei wählen',
    otherFile: 'Das ist eine andere Datei',
    otherFileText: (name, size) => `${name} hat ${size}.`,
    elsewhere: 'Jemand anderes lädt die Datei dazu hoch.',
  },
  fromVm: {
    title: (vm) => `Ein Abbild aus ${vm} machen`,
    text: 'Kopiert die Platte, wie sie jetzt ist. VMs daraus beginnen mit allem, was darauf ist: Programme, Dateien, Benutzer.',
    warning:
      'Geheimnisse auf der Platte gehen mit: Schlüssel, Passwörter, Tokens. Entferne sie vorher, wenn andere das Abbild benutzen dürfen.',
    submit: 'Abbild machen',
  },
}

import type { Messages } from '../index.ts'

export const backups: Messages['backups'] = {
  title: 'Sicherungen',
  description:
    'Kopien ganzer VMs auf einer anderen Platte: was bleibt, wenn eine Platte kaputtgeht oder eine VM verloren ist.',
  vms: 'VMs',
  all: 'Alle Sicherungen',
  noVms: 'Es gibt keine VM mit einer Platte.',
  empty: 'Noch keine Sicherung',
  emptyText:
    'Eine Sicherung enthält die Platte einer VM, ihre weiteren Platten und ihre Einstellungen. Die erste braucht so viel, wie die Platte enthält, die nächste nur, was sich geändert hat.',
  standing: {
    good: 'Gesichert',
    waiting: 'Wartet',
    late: 'Überfällig',
    failed: 'Fehlgeschlagen',
    excluded: 'Ausgenommen',
    none: 'Kein Plan',
  },
  last: (when) => `Letzte Sicherung ${when}`,
  never: 'Nie gesichert',
  included: (vm) => `${vm} von selbst sichern`,
  take: 'Jetzt sichern',
  takeOf: (vm) => `Jetzt sichern: ${vm}`,
  size: (size, added) => `${size}, davon ${added} neu`,
  planned: 'nach Plan',
  stranger: 'auf der Platte gefunden',
  damaged: 'Beschädigt',
  status: { creating: 'Wird gemacht', deleting: 'Wird gelöscht', missing: 'Nicht auf der Platte' },
  name: (vm, when) => `${vm}, ${when}`,
  more: (name) => `Mehr zur Sicherung ${name}`,
  verify: 'Prüfen',
  createVmText: (vm) =>
    `Sie bekommt Kopien aller Platten, wie sie waren, Größe und Anmeldung von ${vm} und eine eigene Adresse. Die VM, die es gibt, bleibt, wie sie ist.`,
  restore: {
    action: 'Zurückspielen',
    title: (name) => `${name} zurückspielen?`,
    text: (vm, when) =>
      `Die Platten von ${vm} werden wieder, was sie am ${when} waren. Alles seither Geschriebene geht verloren. Um erst hineinzusehen, mach eine neue VM daraus.`,
    type: (vm) => `Zur Bestätigung ${vm} eintippen`,
    mismatch: 'Tippe zuerst den Namen der VM ein.',
    confirm: 'Zurückspielen',
  },
  delete: {
    action: 'Löschen',
    title: (name) => `Die Sicherung ${name} löschen?`,
    text: 'Die VM und andere Sicherungen bleiben, wie sie sind; zurück zu diesem Moment geht es dann nicht mehr.',
    confirm: 'Sicherung löschen',
  },
  place: {
    title: (host) => `Sicherungsplatte von ${host}`,
    disk: 'Belegt',
    free: (free, all) => `${free} von ${all} frei`,
    none: 'Noch ist kein Ort für Sicherungen gewählt. Ein Administrator wählt einen.',
    sameDisk:
      'Sie liegt auf der Platte der VMs und geht mit ihr kaputt. Das hilft nur gegen Versehen; wähle eine andere Platte.',
    inMemory: 'Sicherungen bleiben dort nicht',
    inMemoryText:
      'Der Ordner liegt im Arbeitsspeicher des Hosts: Startet der Host neu, ist er leer. Hänge dort eine Platte ein.',
    inLab:
      'Der Lab-Host vergisst diesen Ordner, wenn er endet. Er behält /srv/hearth/backups, auf der Platte der VMs.',
    folder: 'Ordner auf dem Host',
    folderHint:
      'Wo eine externe Platte oder eine Freigabe eingehängt ist. Was dort von einem früheren Zuhause liegt, wird gefunden.',
    encrypt: 'Verschlüsseln, was dort geschrieben wird',
    encryptHint:
      'Für eine Platte, die verloren gehen oder gestohlen werden kann, und für eine fremde Freigabe. Es bleibt, wie der Ordner begonnen wird.',
    encrypted:
      'Verschlüsselt: Auf einer anderen Box lässt es sich nur mit seinem Wiederherstellungsschlüssel lesen.',
    key: 'Wiederherstellungsschlüssel',
    keyHint:
      'Ein neuer, für einen leeren Ordner. Für einen Ordner mit verschlüsselten Sicherungen trage stattdessen dessen Schlüssel ein.',
    keyNoted: 'Ich habe ihn aufgeschrieben',
    keyNotedHint: 'Nicht auf dieser Box: Ist sie weg, liest ohne diesen Schlüssel niemand die Sicherungen.',
    keyNotNoted: 'Schreibe den Wiederherstellungsschlüssel zuerst auf.',
    away: 'Der Host ist nicht da.',
    save: 'Speichern',
    saved: 'Sicherungen gehen jetzt dorthin',
    leave: 'Nicht mehr nutzen',
    leaveTitle: 'Diese Sicherungsplatte nicht mehr nutzen?',
    leaveText:
      'Es wird nichts mehr gesichert. Was darauf liegt, bleibt und wird wiedergefunden, wenn sie wieder gewählt wird.',
    left: 'Sicherungen gehen nirgendwo mehr hin',
    plan: 'Von selbst',
    every: 'Alle VMs sichern',
    planHint: 'Ältere, die der Plan gemacht hat, werden wieder gelöscht; von Hand gemachte bleiben.',
    planSaved: 'VMs werden jetzt von selbst gesichert',
    planOff: 'VMs werden nicht mehr von selbst gesichert',
  },
}

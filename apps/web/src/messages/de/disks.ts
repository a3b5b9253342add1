import type { Messages } from '../index.ts'

export const disks: Messages['disks'] = {
  title: 'Platten dieser VM',
  loose: 'Platten, die keine VM hat',
  coldTitle: 'Platten ändern sich, während die VM aus ist',
  cold: 'Was du jetzt ansehen kannst, kannst du dann ändern.',
  system: 'Systemplatte',
  systemAbout: 'Enthält das System; geht mit der VM.',
  noSystem: 'Diese VM läuft aus dem Speicher und hat keine eigene Platte.',
  used: 'Auf dem Host belegt',
  usedOf: (used, size) => `${used} von ${size}`,
  unformatted: 'Leer, wie sie gemacht wurde: Der Gast partitioniert und formatiert sie.',
  formatted: (format) => `Mit einem ${format}-Dateisystem gemacht.`,
  status: { creating: 'Entsteht', deleting: 'Wird gelöscht', missing: 'Fehlt' },
  more: (name) => `Mehr zur Platte ${name}`,
  attach: 'Anhängen',
  detach: 'Abhängen',
  detached: (name, vm) => `${name} ist von ${vm} abgehängt`,
  hint: 'Eine eigene Platte behält ihre Daten, wenn die VM gelöscht, neu gebaut oder zu einem Snapshot zurückgebracht wird, und kann zu einer anderen VM umziehen. Der Gast findet sie unter dem Namen, der unter ihrem eigenen steht, in welcher Reihenfolge die Platten auch kommen.',
  create: {
    action: 'Neue Platte',
    title: (vm) => `Eine neue Platte für ${vm}`,
    text: 'Sie ist beim nächsten Start da.',
    name: 'Name',
    nameNeeded: 'Gib ihr einen Namen.',
    size: 'Größe',
    range: (least, most) => `${least} bis ${most}.`,
    format: 'Mit einem ext4-Dateisystem',
    formatHint: 'Bereit zum Einhängen. Ohne ist die Platte leer.',
    confirm: 'Machen und anhängen',
  },
  grow: {
    action: 'Vergrößern',
    title: (name) => `${name} vergrößern`,
    size: (now) => `Neue Größe (jetzt ${now})`,
    tooSmall: (now) => `Mehr als ${now}: Eine Platte schrumpft nie.`,
    systemHint:
      'Der Gast sieht die neue Größe beim nächsten Start. Images mit cloud-init nutzen sie von selbst.',
    volumeHint:
      'Der Gast sieht die neue Größe beim nächsten Start. Ihr Dateisystem vergrößert der Gast, bei ext4 mit resize2fs.',
  },
  delete: {
    action: 'Löschen',
    title: (name) => `${name} löschen?`,
    text: 'Alles darauf ist endgültig weg.',
    confirm: 'Platte löschen',
  },
}

export const volumes: Messages['volumes'] = {
  title: 'Platten',
  description:
    'Eigene Platten: Sie behalten ihre Daten, wenn eine VM geht, und ziehen von einer VM zur anderen um.',
  make: 'Neue Platte',
  makeTitle: 'Eine neue Platte',
  makeText: 'Sie gehört einem Projekt und kann an jede seiner VMs angeschlossen werden, die aus ist.',
  project: 'Projekt',
  confirm: 'Anlegen',
  made: (name) => `Die Platte ${name} wird angelegt`,
  search: 'Platten suchen',
  empty: 'Noch keine eigenen Platten',
  emptyText:
    'Eine VM hat ihre Systemplatte ohnehin. Eine eigene Platte ist für das, was die VM überleben soll: Fotos, Datenbanken, Sicherungen.',
  noneFound: 'Keine Platte passt.',
  of: (vm) => `Angeschlossen an ${vm}`,
  free: 'Keine VM hat sie',
  attachTitle: (name) => `${name} anschließen`,
  attachText: 'Die VM findet sie bei ihrem nächsten Start.',
  vm: 'VM',
  noVm: 'Keine VM dieses Projekts ist aus. Fahre zuerst eine herunter.',
  attachConfirm: 'Anschließen',
}

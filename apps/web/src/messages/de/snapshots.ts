import type { Messages } from '../index.ts'

export const snapshots: Messages['snapshots'] = {
  title: 'Snapshots',
  empty: {
    title: 'Noch kein Snapshot',
    text: 'Ein Snapshot hält fest, was die Platte in diesem Moment enthält. Mach einen vor einem Upgrade: zurück geht es mit einem Klick.',
  },
  take: {
    title: 'Snapshot machen',
    name: 'Name',
    placeholder: 'jetzt, als Datum und Zeit',
    action: 'Machen',
    stopped: 'Die VM ist aus, also ist alles darin, was ihr Gast geschrieben hat.',
    running:
      'Die VM wird einen Moment angehalten. Wo ihr Gast-Agent antwortet, ruhen die Dateisysteme; ohne ihn wird die Platte festgehalten wie nach einem Stromausfall.',
  },
  size: (size) => `${size} belegt`,
  scheduled: 'nach Plan',
  consistency: {
    stopped: 'im ausgeschalteten Zustand',
    paused: 'im laufenden Betrieb',
    frozen: 'im laufenden Betrieb, Dateisysteme in Ruhe',
  },
  status: { creating: 'Wird gemacht', deleting: 'Wird gelöscht', missing: 'Fehlt' },
  more: (name) => `Mehr zum Snapshot ${name}`,
  restore: {
    action: 'Zurück',
    title: (name) => `Zurück zu ${name}?`,
    text: (vm, when) =>
      `Die Platte von ${vm} wird wieder, was sie am ${when} war. Alles seither Geschriebene geht verloren, es sei denn, du machst vorher einen Snapshot davon.`,
    confirm: 'Zurück',
  },
  createVm: {
    menu: 'Neue VM daraus',
    title: (name) => `Eine neue VM aus ${name}`,
    text: (vm) =>
      `Sie bekommt eine Kopie der Platte, wie sie war, Größe und Anmeldung von ${vm} und eine eigene Adresse.`,
    confirm: 'VM erstellen',
  },
  rename: {
    menu: 'Umbenennen',
    title: 'Snapshot umbenennen',
    confirm: 'Umbenennen',
    empty: 'Gib ihm einen Namen.',
  },
  delete: {
    action: 'Löschen',
    title: (name) => `${name} löschen?`,
    text: 'Die VM bleibt, wie sie ist; zurück zu diesem Moment geht es dann nicht mehr.',
    confirm: 'Snapshot löschen',
  },
  schedule: {
    title: 'Nach Plan',
    every: 'Einen machen',
    everies: { never: 'nie', hour: 'jede Stunde', day: 'jeden Tag', week: 'jede Woche' },
    weekday: 'Am',
    at: 'Um',
    keep: 'Behalten werden die letzten',
    save: 'Speichern',
    saved: 'Snapshots entstehen jetzt von selbst',
    off: 'Es entstehen keine Snapshots mehr von selbst',
    problem: 'Behalte 1 bis 100 und gib eine Uhrzeit an.',
    hint: 'Ältere, die der Plan gemacht hat, werden wieder gelöscht; deine bleiben.',
    next: (when, zone) => `Nächster: ${when}. Der Plan folgt der Uhr des Zuhauses (${zone}).`,
  },
}

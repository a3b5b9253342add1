import type { Messages } from '../index.ts'

export const dashboard: Messages['dashboard'] = {
  title: 'Übersicht',
  subtitle: (running, all) =>
    all === 0
      ? 'Noch keine VM'
      : all === 1
        ? `${running} von 1 VM läuft`
        : `${running} von ${all} VMs laufen`,
  attention: 'Einen Blick wert',
  allWell: 'Alles in Ordnung.',
  hosts: 'Hosts',
  up: (time) => `läuft seit ${time}`,
  upSince: 'Laufzeit',
  cpu: 'CPU',
  memory: 'Speicher',
  disk: 'Platte',
  temperature: 'Temperatur',
  celsius: (degrees) => `${degrees} °C`,
  cores: (used, all) => `${used} von ${all === '1' ? '1 Kern' : `${all} Kernen`}`,
  of: (used, all) => `${used} von ${all}`,
  coresOf: (all) => (all === '1' ? 'von 1 Kern' : `von ${all} Kernen`),
  ofAll: (size) => `von ${size}`,
  given: (cpus) => (cpus === 1 ? '1 vCPU vergeben' : `${cpus} vCPUs vergeben`),
  free: (size) => `${size} frei`,
  unknown: 'nicht bekannt',
  myVms: 'Deine VMs',
  allVms: (count) => `Alle ${count} VMs`,
  quota: 'Dein Kontingent',
  quotaOf: (project) => `Kontingent von ${project}`,
  busiest: 'Am meisten beschäftigt',
  busiestColumns: { vm: 'VM', cpu: 'CPU', memory: 'Speicher', network: 'Netz' },
  nothingMeasured: 'Keine VM läuft, oder noch wurde keine gemessen.',
  overTime: (host) => `${host} über die Zeit`,
  noHistory: 'In dieser Zeit wurde nichts gemessen.',
  users: 'Wer was nutzt',
  usersColumns: { project: 'Projekt', running: 'Laufen', vcpus: 'vCPUs', memory: 'Speicher', disk: 'Platte' },
  recent: 'Zuletzt',
  allActivity: 'Alle Aktivität',
  running: 'Im Gange',
  nothingRunning: 'Gerade ist nichts im Gange.',
  warnings: {
    away: (host) => `${host} ist nicht da`,
    awayText: 'Seine VMs laufen weiter, wenn die Box läuft. Prüfe Strom und Netz.',
    disk: (host, part) => `Die Platte von ${host} ist zu ${part} voll`,
    diskText: (left) =>
      `Noch ${left} frei. Lösche, was nicht gebraucht wird, oder gib der Box eine größere Platte.`,
    hot: (host, degrees) => `${host} wird heiß: ${degrees} °C`,
    hotText: 'Prüfe die Lüfter und die Luft drumherum.',
    crashed: (vm) => `${vm} hat unerwartet aufgehört`,
    failed: (vm) => `Die letzte Aktion mit ${vm} schlug fehl`,
    image: (image) => `${image} konnte nicht gemacht werden`,
    outdated: (image) => `${image} ist veraltet`,
    outdatedText: 'Es gibt eine neuere Fassung. VMs, die daraus gemacht wurden, bleiben, wie sie sind.',
    backupDisk: (host) => `Die Sicherungsplatte von ${host} fehlt`,
    backupDiskFull: (host, left) => `Die Sicherungsplatte von ${host} ist fast voll: noch ${left}`,
    backupDiskFullText: 'Behalte weniger Sicherungen oder gib ihr eine größere Platte.',
    backupLate: (vm) => `Die Sicherung von ${vm} ist überfällig`,
    backupLateText: 'Sie wird gemacht, sobald es geht. Prüfe den Host und die Sicherungsplatte.',
    backupFailed: (vm) => `Die letzte Sicherung von ${vm} schlug fehl`,
    asked: (project, n) =>
      n === 1
        ? `Jemand in ${project} bittet um mehr Kontingent`
        : `${n} Bitten um mehr Kontingent in ${project}`,
  },
}

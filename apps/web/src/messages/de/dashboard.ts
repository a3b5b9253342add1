import type { Messages } from '../index.ts'

export const dashboard: Messages['dashboard'] = {
  title: 'Übersicht',
  recent: 'Zuletzt',
  allActivity: 'Alle Aktivität',
  running: 'Im Gange',
  nothingRunning: 'Gerade ist nichts im Gange.',
}

import type { Messages } from '../index.ts'

export const creation: Messages['creation'] = {
  phases: {
    image: 'Abbild',
    disk: 'Platte',
    seed: 'Cloud-init',
    network: 'Netz',
    start: 'Start',
  },
  leave: 'Du kannst diese Seite verlassen; es geht von selbst weiter.',
  cancel: 'Erstellen abbrechen',
  cancelling: 'Es wird abgebrochen. Was schon da ist, wird wieder entfernt.',
  confirm: {
    title: (name) => `Das Erstellen von ${name} abbrechen?`,
    text: 'Was schon da ist, wird wieder entfernt, und das Kontingent ist wieder frei. Ein Abbild, das noch unterwegs ist, kommt trotzdem.',
    keep: 'Weiter erstellen',
  },
  cancelled: (name) => `Das Erstellen von ${name} ist abgebrochen`,
}

import type { Messages } from '../index.ts'

export const welcome: Messages['welcome'] = {
  pageTitle: 'Willkommen',
  step: (now, all) => `Schritt ${now} von ${all}`,
  next: 'Weiter',
  network: {
    title: 'Wie deine VMs ins Netz kommen',
    intro: 'Was diese Box anbietet. Später lässt es sich dadurch ändern, wie Hearth gestartet wird.',
    waiting: 'Warten, bis die Box sagt, was sie hat …',
    options: {
      nat: {
        title: 'In einem eigenen Netz hinter der Box',
        text: 'VMs erreichen das Internet und einander; andere Geräte im Haus erreichen sie über die Ports, die du weiterleitest.',
        why: 'Dafür muss Hearth als root laufen.',
      },
      passt: {
        title: 'Durch die Verbindung der Box selbst',
        text: 'Braucht keine Rechte auf der Box. VMs erreichen das Internet, aber nicht einander.',
        why: 'Gilt, wenn Hearth ohne root läuft.',
      },
    },
    bridge: {
      title: 'Außerdem: im Heimnetz, wie jedes Gerät',
      text: 'Eine VM an einer Bridge dieser Box bekommt ihre Adresse von deinem Router. Wähle, welche Bridges VMs benutzen dürfen.',
      none: 'Diese Box hat keine Bridge. Lege später mit deinem System eine an und gib sie in den Einstellungen des Zuhauses für VMs frei.',
    },
  },
  image: {
    title: 'Ein erstes Abbild',
    intro:
      'VMs beginnen als Kopie eines Abbilds. Wähl, was die Box jetzt bereitlegen soll; es geht im Hintergrund weiter.',
    ready: 'Bereit',
    finish: 'In mein Zuhause',
    build: 'Vorbereiten',
    buildOf: (name) => `${name} vorbereiten`,
    building: (name) => `${name} wird vorbereitet. Du kannst inzwischen weitergehen.`,
  },
}

export const welcome = {
  pageTitle: 'Welcome',
  step: (now: number, all: number) => `Step ${now} of ${all}`,
  next: 'Next',
  network: {
    title: 'How your VMs reach the network',
    intro: 'What this box offers. It can be changed later by how Hearth is started.',
    waiting: 'Waiting for the box to say what it has…',
    options: {
      nat: {
        title: 'A network of their own behind the box',
        text: 'VMs reach the internet and each other; other devices at home reach them by the ports you forward.',
        why: 'Hearth has to run as root for this.',
      },
      passt: {
        title: 'Through the box’s own connection',
        text: 'Needs no rights on the box. VMs reach the internet, but not each other.',
        why: 'Taken when Hearth runs without root.',
      },
    } as Readonly<Record<string, { title: string; text: string; why: string }>>,
    bridge: {
      title: 'Also: in the home’s network, as any device',
      text: 'A VM on a bridge of this box gets its address from your router. Choose which bridges VMs may use.',
      none: 'This box has no bridge. Make one with your system later, and open it to VMs in the home’s settings.',
    },
  },
  image: {
    title: 'A first image',
    intro:
      'VMs begin as copies of an image. Choose what the box should make ready now; it goes on in the background.',
    ready: 'Ready',
    finish: 'To my home',
    build: 'Prepare',
    buildOf: (name: string) => `Prepare ${name}`,
    building: (name: string) => `${name} is being prepared. You can go on meanwhile.`,
  },
}

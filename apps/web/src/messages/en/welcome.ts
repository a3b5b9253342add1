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
        text: 'VMs reach the internet and each other; other devices at home do not reach them by themselves.',
        why: 'Hearth has to run as root for this.',
      },
      passt: {
        title: 'Through the box’s own connection',
        text: 'Needs no rights on the box. VMs reach the internet, but not each other.',
        why: 'Taken when Hearth runs without root.',
      },
      bridge: {
        title: 'In the home’s network, as any device',
        text: 'Each VM gets an address from your router.',
        why: 'Hearth does not have this yet.',
      },
    } as Readonly<Record<string, { title: string; text: string; why: string }>>,
  },
  image: {
    title: 'A first image',
    intro:
      'VMs begin as copies of an image. Choose what the box should fetch ready now; it goes on in the background.',
    ready: 'Ready',
    finish: 'To my home',
    build: (name: string) => `Prepare ${name}`,
    building: (name: string) => `${name} is being prepared. You can go on meanwhile.`,
  },
}

export const vmSettings = {
  nothingChanged: 'Nothing has changed yet.',
  name: {
    title: 'Name',
    label: 'Name',
    save: 'Rename',
    saved: (name: string) => `Its name is ${name} now`,
    hint: 'Other guests find it under its new name at once. The guest itself takes it at its next start.',
  },
  size: {
    title: 'Size',
    hint: 'Takes effect at the next start.',
    save: 'Resize',
    saved: (cpus: string, memory: string) => `Resized to ${cpus} and ${memory}`,
  },
  behaviour: 'Behaviour',
  startAtBoot: 'Start when the box boots',
  startAtBootHint: 'After a power cut or a restart of the box, this VM comes back by itself.',
  boot: 'Starts by',
  bootHint: 'From its next start on. Firmware starts the boot loader on the VM’s disk, as a PC does.',
  boots: { image: 'As its image', direct: 'Kernel', bios: 'BIOS', uefi: 'UEFI' },
  watchdog: 'When it hangs',
  watchdogHint:
    'A watchdog from its next start on. The guest has to start it (RuntimeWatchdogSec= in systemd), then it notices when the guest stands still.',
  watchdogs: {
    none: 'No watchdog',
    reset: 'Reset it',
    poweroff: 'Switch it off',
    pause: 'Hold it still',
    event: 'Only tell of it',
  },
  protect: 'Protect from deletion',
  protectHint: 'Nobody deletes it by accident, neither here nor by the API, until this is off again.',
  labels: {
    title: 'Labels',
    empty: 'Labels group VMs: the list and the API can be filtered by them.',
    add: 'Add label',
    placeholder: 'env=home',
    typeFirst: 'Type a label first, such as env=home.',
    problem: 'Letters, digits, ., _ and -, as key or key=value; at most 63 each.',
    remove: (key: string) => `Remove label ${key}`,
  },
  danger: {
    title: 'Delete this VM',
    delete: 'Delete',
    text: 'The VM, its disk and its snapshots are gone for good.',
  },
}

export const vmNetwork = {
  interface: 'Interface eth0',
  addresses: 'Addresses',
  whenRunning: 'It has an address while it runs.',
  name: 'Name',
  mac: 'MAC',
  device: 'Device',
  deviceText: 'virtio, one queue pair',
  kind: 'Network',
  kinds: {
    nat: 'Home network of the box: NAT, DHCP and DNS',
    passt: 'Through the host itself (passt), without a network of its own',
  },
  reach: 'Who reaches whom',
  out: {
    title: 'From the VM to the world',
    text: 'Open: it goes out with the address of the box.',
  },
  between: {
    title: 'Between VMs',
    nat: 'They reach each other by address and by name.',
    passt: 'They do not see each other.',
  },
  in: {
    title: 'To the VM',
    nat: 'From the box itself, from other VMs, and through forwarded ports, as the firewall lets them.',
    passt: 'Through forwarded ports only.',
  },
}

export const snapshots = {
  title: 'Snapshots',
  empty: {
    title: 'No snapshot yet',
    text: 'A snapshot keeps what the disk holds at this moment. Take one before an upgrade: going back is one click.',
  },
  take: {
    title: 'Take a snapshot',
    name: 'Name',
    placeholder: 'now, as date and time',
    action: 'Take',
    stopped: 'The VM is off, so everything its guest has written is in it.',
    running:
      'The VM is held still for a moment. Where its guest agent answers, file systems are at rest; without one the disk is kept as after a power cut.',
  },
  size: (size: string) => `${size} stored`,
  scheduled: 'by schedule',
  consistency: {
    stopped: 'taken while off',
    paused: 'taken while running',
    frozen: 'taken while running, file systems at rest',
  },
  status: { creating: 'Being taken', deleting: 'Being deleted', missing: 'Missing' },
  more: (name: string) => `More for the snapshot ${name}`,
  restore: {
    action: 'Go back',
    title: (name: string) => `Go back to ${name}?`,
    text: (vm: string, when: string) =>
      `The disk of ${vm} becomes what it was on ${when}. Everything written since is lost, unless you take a snapshot of it first.`,
    confirm: 'Go back',
  },
  createVm: {
    menu: 'New VM from it',
    title: (name: string) => `A new VM from ${name}`,
    text: (vm: string) =>
      `It gets a copy of the disk as it was, the size and login of ${vm}, and an address of its own.`,
    confirm: 'Create VM',
  },
  rename: { menu: 'Rename', title: 'Rename the snapshot', confirm: 'Rename', empty: 'Give it a name.' },
  delete: {
    action: 'Delete',
    title: (name: string) => `Delete ${name}?`,
    text: 'The VM stays as it is; going back to this moment is no longer possible.',
    confirm: 'Delete snapshot',
  },
  schedule: {
    title: 'By schedule',
    every: 'Take one',
    everies: { never: 'never', hour: 'every hour', day: 'every day', week: 'every week' },
    weekday: 'On',
    at: 'At',
    keep: 'Keep the last',
    save: 'Save',
    saved: 'Snapshots are taken by themselves now',
    off: 'No snapshots are taken by themselves any more',
    problem: 'Keep 1 to 100, and give a time.',
    hint: 'Older ones that the schedule took are removed again; yours stay.',
    next: (when: string, zone: string) => `Next: ${when}. The plan follows the clock of the home (${zone}).`,
  },
}

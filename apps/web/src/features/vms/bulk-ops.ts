/** What can be done with several VMs at once. */
export const bulkOps = ['start', 'shutdown', 'reboot', 'reset', 'poweroff', 'delete'] as const
export type BulkOp = (typeof bulkOps)[number]

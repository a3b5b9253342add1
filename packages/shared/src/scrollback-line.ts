/**
 * The first line the monitor sends on a connection to a serial socket that was asked for with `,scrollback-line` begins so;
 * the rest is JSON (`scrollbackLineSchema` of vmm-control.ts). Apart from that file because the schema library would cost
 * every VM's process 4 MiB.
 */
export const scrollbackLinePrefix = 'HEARTH '

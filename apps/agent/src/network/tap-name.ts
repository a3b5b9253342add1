import { createHash } from 'node:crypto'

/** `ht` and 12 hexadecimal digits: within IFNAMSIZ, and the same for a VM for ever. */
export function tapName(vmUid: string): string {
  return `ht${createHash('sha256').update(vmUid).digest('hex').slice(0, 12)}`
}

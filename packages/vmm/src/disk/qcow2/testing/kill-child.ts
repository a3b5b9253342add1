/**
 * Works on a disk until it is killed: `kill-child.ts IMAGE SEED FIRST-VALUE`. Before each operation it writes a `b`,
 * after each flush an `f`, in one unbuffered byte; who knows the seed knows the operations.
 */
import fs from 'node:fs'
import { CLUSTER } from '../format.ts'
import { openQcow2 } from '../open.ts'
import { nextOperation, perform, ZONE_CLUSTERS } from './crash-model.ts'
import { GuestBuffer, Random } from './support.ts'

const [image = '', seed = '', value = ''] = process.argv.slice(2)
const random = new Random(Number(seed))
const guest = new GuestBuffer(ZONE_CLUSTERS * CLUSTER, new Random(1))
const disk = openQcow2(image, { l2Pages: 3 })
for (let i = 0; ; i++) {
  const operation = nextOperation(random, Number(value) + i)
  fs.writeSync(1, 'b')
  perform(disk, guest, operation)
  if (operation.kind === 'flush') fs.writeSync(1, 'f')
}

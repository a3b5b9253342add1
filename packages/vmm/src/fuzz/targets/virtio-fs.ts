/** A shared folder under a driver that asks for whatever the input says. */
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import * as libc from '../../sys/libc.ts'
import { FsDevice } from '../../virtio/fs/fs.ts'
import { openFolder } from '../../virtio/fs/open-folder.ts'
import { OPCODE } from '../../virtio/fs/protocol.ts'
import { InlineServer } from '../../virtio/fs/server.ts'
import { Session } from '../../virtio/fs/session.ts'
import { EDGES } from '../byte-source.ts'
import { type Recipe, words } from './virtio-recipe.ts'

/** Beside the shared folder lies what must stay as it is, whatever the guest asks. */
const SECRET = 'a secret'
const NAMES = [
  'a',
  'b',
  'dir',
  'link',
  'up',
  'fifo',
  '..',
  '.',
  '',
  '/',
  '../secret',
  '/etc/passwd',
  'a/b',
  'dir/../..',
]
export const fileSystem: Recipe = {
  name: 'virtio-fs',
  about: 'a shared folder: FUSE requests for names, nodes and handles that exist or not',
  make() {
    const top = fs.mkdtempSync(path.join(os.tmpdir(), 'hearth-fuzz-'))
    const shared = path.join(top, 'shared')
    fs.mkdirSync(path.join(shared, 'dir'), { recursive: true })
    fs.writeFileSync(path.join(top, 'secret'), SECRET)
    fs.writeFileSync(path.join(shared, 'a'), 'contents')
    fs.symlinkSync('../secret', path.join(shared, 'link'))
    fs.symlinkSync('..', path.join(shared, 'up'))
    const fd = openFolder(shared, true, false)
    const session = new Session({ fd, writable: true, owner: 1000 })
    return {
      device: new FsDevice('fuzz', new InlineServer(session)),
      release() {
        libc.close(fd)
        const outside = fs.readdirSync(top).sort().join()
        const secret = fs.readFileSync(path.join(top, 'secret'), 'utf8')
        fs.rmSync(top, { recursive: true })
        if (outside !== 'secret,shared' || secret !== SECRET)
          throw new Error(`outside the folder: ${outside}, ${secret}`)
      },
    }
  },
  request: (source) => {
    // Without a mount nothing is served.
    const known = source.oneIn(5) ? OPCODE.INIT : source.pick(Object.values(OPCODE))
    const opcode = source.oneIn(10) ? source.u8() : known
    const small = (): number => (source.oneIn(8) ? source.pick(EDGES) : source.below(6))
    const header = [small(), opcode, source.u32(), 0, small(), source.oneIn(10) ? 1 : 0, 0, 0, 0, 0]
    if (opcode === OPCODE.INIT)
      return words([...header, 7, source.pick([31, 38, 30]), 0, source.u32()], source, 0)
    const fields = Array.from({ length: source.pick([0, 2, 2, 4, 4, 10, 22]) }, () =>
      source.oneIn(4) ? source.u32() : small(),
    )
    const names = Array.from({ length: source.below(3) }, () => `${source.pick(NAMES)}\0`).join('')
    const tail = source.oneIn(10) ? source.take(source.below(40)) : Buffer.from(names)
    return Buffer.concat([words([...header, ...fields], source, 0), tail])
  },
}

import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { close } from '../../sys/libc.ts'
import { MAX_HANDLES } from './handles.ts'
import { openFolder } from './open-folder.ts'
import { FUSE_ROOT_ID, MAX_TRANSFER, OPCODE } from './protocol.ts'
import { Session } from './session.ts'
import { ERRNO, O } from './system.ts'
import { attributesOf, type Entry, entryOf, FuseClient } from './testing/client.ts'

const OWNER = 1000
let top: string
let shared: string
let fd: number
let client: FuseClient
const clients: FuseClient[] = []
const fds: number[] = []

function mount(writable: boolean): FuseClient {
  fd = openFolder(shared, writable, false)
  fds.push(fd)
  const made = new FuseClient(new Session({ fd, writable, owner: OWNER }))
  clients.push(made)
  assert.equal(made.start().error, 0)
  return made
}

beforeEach(() => {
  top = fs.mkdtempSync(path.join(os.tmpdir(), 'share-'))
  shared = path.join(top, 'shared')
  fs.mkdirSync(shared)
  fs.writeFileSync(path.join(top, 'secret'), 'secret')
  client = mount(true)
})
afterEach(() => {
  for (const each of clients.splice(0)) each.close()
  for (const each of fds.splice(0)) close(each)
  fs.rmSync(top, { recursive: true, force: true })
})

const inside = (name: string): string => path.join(shared, name)
const found = (entry: Entry | number): Entry => {
  if (typeof entry === 'number') throw new Error(`errno ${-entry}`)
  return entry
}
const openDescriptors = (): number => fs.readdirSync('/proc/self/fd').length

function createFile(name: string, parent = FUSE_ROOT_ID, mode = 0o644): { node: number; handle: bigint } {
  const { error, body } = client.ask(OPCODE.CREATE, parent, [O.RDWR | O.EXCL, mode, 0, 0, name])
  assert.equal(error, 0, name)
  return { node: entryOf(body).node, handle: body.getBigUint64(128, true) }
}

describe('a shared folder', () => {
  test('is read: names, attributes, contents, links', () => {
    fs.mkdirSync(inside('a/b'), { recursive: true })
    fs.writeFileSync(inside('a/b/text'), 'hello world', { mode: 0o640 })
    fs.symlinkSync('/etc/passwd', inside('a/link'))
    const text = found(client.lookup('text', client.walk('a/b')))
    assert.deepEqual([text.size, text.mode, text.owner], [11, 0o100640, OWNER])
    const handle = client.open(text.node, O.RDONLY)
    assert.equal(typeof handle, 'bigint')
    assert.equal(String(client.read(text.node, handle as bigint, 6, 100)), 'world')
    assert.equal(String(client.read(text.node, handle as bigint, 11, 100)), '')
    const link = client.ask(OPCODE.READLINK, client.walk('a/link'), [])
    assert.equal(Buffer.from(link.bytes).toString(), '/etc/passwd')
    assert.equal(client.lookup('none'), -ERRNO.ENOENT)
    assert.equal(client.ask(OPCODE.STATFS, FUSE_ROOT_ID, []).error, 0)
  })

  test('is written: made, filled, cut, renamed, linked, removed', () => {
    const { node, handle } = createFile('new', FUSE_ROOT_ID, 0o664)
    assert.equal(fs.statSync(inside('new')).mode & 0o777, 0o664)
    assert.equal(client.write(node, handle, 0, Buffer.from('0123456789')), 10)
    assert.equal(client.write(node, handle, 20, Buffer.from('x')), 1)
    assert.equal(fs.readFileSync(inside('new'), 'latin1'), `0123456789${'\0'.repeat(10)}x`)
    const size = [8, 0, 0n, 4n, 0n, 0n, 0n, 0n, 0, 0, 0, 0, 0, 0, 0, 0]
    assert.equal(attributesOf(client.ask(OPCODE.SETATTR, node, size).body, 16).size, 4)
    assert.equal(client.ask(OPCODE.FSYNC, node, [handle, 0, 0]).error, 0)
    client.release(node, handle)

    const folder = client.ask(OPCODE.MKDIR, FUSE_ROOT_ID, [0o775, 0, 'sub'])
    assert.equal(fs.statSync(inside('sub')).mode & 0o777, 0o775)
    const sub = entryOf(folder.body).node
    assert.equal(client.ask(OPCODE.RENAME2, FUSE_ROOT_ID, [BigInt(sub), 0, 0, 'new', 'moved']).error, 0)
    assert.equal(fs.readFileSync(inside('sub/moved'), 'latin1'), '0123')
    assert.equal(attributesOf(client.ask(OPCODE.GETATTR, node, [0, 0, 0n]).body, 16).size, 4)
    assert.equal(found(client.lookup('moved', sub)).node, node)
    const linked = client.ask(OPCODE.LINK, FUSE_ROOT_ID, [BigInt(node), 'second'])
    assert.equal(entryOf(linked.body).links, 2)
    assert.equal(client.ask(OPCODE.SYMLINK, sub, ['point', '../second']).error, 0)
    assert.equal(fs.readlinkSync(inside('sub/point')), '../second')
    assert.equal(client.ask(OPCODE.RMDIR, FUSE_ROOT_ID, ['sub']).error, -39)
    for (const name of ['moved', 'point']) assert.equal(client.ask(OPCODE.UNLINK, sub, [name]).error, 0)
    assert.equal(client.ask(OPCODE.RMDIR, FUSE_ROOT_ID, ['sub']).error, 0)
    assert.deepEqual(fs.readdirSync(shared), ['second'])
  })

  test('lists many names in pieces, those that are no text as well', () => {
    for (let i = 0; i < 700; i++) fs.writeFileSync(inside(`file-${i}-${'x'.repeat(i % 200)}`), '')
    fs.writeFileSync(Buffer.concat([Buffer.from(`${shared}/`), Buffer.from([0xff, 0xfe])]), '')
    for (const size of [600, 4096, 1 << 20]) {
      const names = client.list(FUSE_ROOT_ID, size)
      assert.equal(names.length, 703)
      assert.equal(new Set(names).size, 703)
    }
    assert.equal(found(client.lookup('\xff\xfe')).size, 0)
    assert.throws(() => client.list(FUSE_ROOT_ID, 8), /errno 22/)
  })

  test('knows an open file whose name is gone', () => {
    const { node, handle } = createFile('gone')
    client.write(node, handle, 0, Buffer.from('still here'))
    assert.equal(client.ask(OPCODE.UNLINK, FUSE_ROOT_ID, ['gone']).error, 0)
    assert.equal(attributesOf(client.ask(OPCODE.GETATTR, node, [0, 0, 0n]).body, 16).size, 10)
    assert.equal(String(client.read(node, handle, 0, 10)), 'still here')
    client.release(node, handle)
    assert.equal(client.ask(OPCODE.GETATTR, node, [0, 0, 0n]).error, -ERRNO.ESTALE)
    client.ask(OPCODE.FORGET, node, [1n])
    assert.equal(client.session.held.nodes, 1)
  })

  test('sees what others of the host change: a file in the place of another is another', () => {
    fs.writeFileSync(inside('page'), 'old')
    const old = found(client.lookup('page'))
    fs.writeFileSync(inside('other'), 'newer')
    fs.renameSync(inside('other'), inside('page'))
    assert.equal(client.ask(OPCODE.GETATTR, old.node, [0, 0, 0n]).error, -ERRNO.ESTALE)
    assert.equal(client.open(old.node, O.RDONLY), -ERRNO.ESTALE)
    const fresh = found(client.lookup('page'))
    assert.notEqual(fresh.node, old.node)
    assert.equal(fresh.size, 5)
  })

  test('goes on after a snapshot with what was open', () => {
    const { node, handle } = createFile('kept')
    const doomed = createFile('doomed')
    client.write(node, handle, 0, Buffer.from('before'))
    const state = JSON.parse(JSON.stringify(client.session.save()))
    fs.rmSync(inside('doomed'))
    const again = new FuseClient(new Session({ fd, writable: true, owner: OWNER }))
    clients.push(again)
    again.session.restore(state)
    assert.equal(again.write(node, handle, 6, Buffer.from(' and after')), 10)
    assert.equal(fs.readFileSync(inside('kept'), 'utf8'), 'before and after')
    assert.equal(again.write(doomed.node, doomed.handle, 0, Buffer.from('x')), -ERRNO.EIO)
    assert.equal(found(again.lookup('kept')).node, node)
    // A state of somebody's making names nothing outside, and makes no circle.
    const identity: [number, number, number] = [0, 0, 0]
    again.session.restore({
      started: true,
      nodes: [
        { id: 5, parent: 6, name: 'a', lookups: 1, identity },
        { id: 6, parent: 5, name: 'b', lookups: 1, identity },
        { id: 7, parent: 1, name: '../secret', lookups: 1, identity },
      ],
      handles: [{ id: 1, node: 7, isFolder: false, flags: 0 }],
    })
    assert.equal(again.ask(OPCODE.GETATTR, 5, [0, 0, 0n]).error, -ERRNO.ESTALE)
    assert.equal(again.read(7, 1n, 0, 10), -ERRNO.EIO)
  })
})

describe('out of a shared folder', () => {
  const names = ['..', '.', '', '/', '../secret', '/etc/passwd', 'a/b', `${'x'.repeat(256)}`, 'a\0b']

  test('no name leads', () => {
    const root = BigInt(FUSE_ROOT_ID)
    createFile('here')
    for (const name of names) {
      if (name.includes('\0')) continue
      assert.equal(client.lookup(name), -ERRNO.EINVAL, name)
      for (const [opcode, fields] of [
        [OPCODE.MKDIR, [0o755, 0, name]],
        [OPCODE.MKNOD, [0o100644, 0, 0, 0, name]],
        [OPCODE.CREATE, [O.RDWR, 0o644, 0, 0, name]],
        [OPCODE.SYMLINK, [name, 'target']],
        [OPCODE.UNLINK, [name]],
        [OPCODE.RMDIR, [name]],
        [OPCODE.RENAME, [root, name, 'here']],
        [OPCODE.RENAME, [root, 'here', name]],
        [OPCODE.RENAME2, [root, 0, 0, 'here', name]],
        [OPCODE.LINK, [BigInt(client.walk('here')), name]],
      ] as const) {
        assert.equal(client.ask(opcode, FUSE_ROOT_ID, fields).error, -ERRNO.EINVAL, `${opcode} ${name}`)
      }
    }
    assert.deepEqual(fs.readdirSync(top).sort(), ['secret', 'shared'])
    assert.deepEqual(fs.readdirSync(shared), ['here'])
  })

  test('no name without an end leads, nor one that goes on behind a zero', () => {
    const { message, session } = client
    for (const tail of ['here', 'a\0b\0']) {
      const bytes = Buffer.from(tail, 'latin1')
      client.ask(OPCODE.LOOKUP, FUSE_ROOT_ID, ['x'])
      message.request.set(bytes, 40)
      message.requestBytes = 40 + bytes.length
      session.serve(message)
      assert.ok(message.output.getInt32(4, true) < 0)
    }
  })

  test('no link leads, the guest made it or the host, as a file, as a folder, or in the middle of a path', () => {
    fs.mkdirSync(inside('deep/er'), { recursive: true })
    fs.symlinkSync(path.join(top, 'secret'), inside('host-link'))
    assert.equal(client.ask(OPCODE.SYMLINK, FUSE_ROOT_ID, ['guest-link', top]).error, 0)
    for (const name of ['host-link', 'guest-link']) {
      const { node, mode } = found(client.lookup(name))
      assert.equal(mode & 0o170000, 0o120000)
      assert.ok((client.open(node, O.RDONLY) as number) < 0)
      assert.ok((client.open(node, O.WRONLY | O.TRUNC) as number) < 0)
      assert.ok(client.ask(OPCODE.OPENDIR, node, [0, 0]).error < 0)
      assert.ok((client.lookup('secret', node) as number) < 0)
      assert.ok(client.ask(OPCODE.CREATE, node, [O.RDWR, 0o644, 0, 0, 'made']).error < 0)
      assert.ok(client.ask(OPCODE.CREATE, FUSE_ROOT_ID, [O.RDWR, 0o644, 0, 0, name]).error < 0)
    }
    // Changing what a link points at: mode, length, times.
    const node = client.walk('host-link')
    const before = fs.statSync(path.join(top, 'secret'))
    for (const valid of [1, 8, 16 | 32]) {
      client.ask(OPCODE.SETATTR, node, [valid, 0, 0n, 0n, 0n, 1n, 1n, 0n, 0, 0, 0, 0o777, 0, 0, 0, 0])
    }
    const after = fs.statSync(path.join(top, 'secret'))
    assert.deepEqual([after.mode, after.size, after.mtimeMs], [before.mode, before.size, before.mtimeMs])

    // A folder on the way becomes a link.
    const er = client.walk('deep/er')
    fs.rmSync(inside('deep'), { recursive: true })
    fs.mkdirSync(path.join(top, 'outside/er'), { recursive: true })
    fs.writeFileSync(path.join(top, 'outside/er/file'), '')
    fs.symlinkSync(path.join(top, 'outside'), inside('deep'))
    assert.ok((client.lookup('file', er) as number) < 0)
    assert.ok(client.ask(OPCODE.OPENDIR, er, [0, 0]).error < 0)
    assert.ok(client.ask(OPCODE.MKDIR, er, [0o755, 0, 'made']).error < 0)
    assert.ok(client.ask(OPCODE.UNLINK, er, ['file']).error < 0)
    assert.deepEqual(fs.readdirSync(path.join(top, 'outside/er')), ['file'])
  })

  test('a folder that is moved out while the guest is in it is lost to it', () => {
    fs.mkdirSync(inside('moving/inner'), { recursive: true })
    fs.writeFileSync(inside('moving/inner/file'), 'x')
    const inner = client.walk('moving/inner')
    fs.renameSync(inside('moving'), path.join(top, 'moving'))
    assert.equal(client.lookup('file', inner), -ERRNO.ENOENT)
    assert.equal(client.ask(OPCODE.MKDIR, inner, [0o755, 0, 'made']).error, -ERRNO.ESTALE)
    assert.deepEqual(fs.readdirSync(path.join(top, 'moving/inner')), ['file'])
  })

  test('links that come and go during a walk lead nowhere', () => {
    fs.mkdirSync(inside('flip'))
    fs.mkdirSync(path.join(top, 'out'))
    fs.writeFileSync(path.join(top, 'out/file'), 'secret')
    fs.writeFileSync(inside('flip/file'), 'public')
    const flipper = `
      const fs = require('node:fs'); const [dir, out] = process.argv.slice(1)
      fs.symlinkSync(out, dir + '/trap')
      for (;;) {
        fs.renameSync(dir + '/flip', dir + '/kept'); fs.renameSync(dir + '/trap', dir + '/flip')
        fs.renameSync(dir + '/flip', dir + '/trap'); fs.renameSync(dir + '/kept', dir + '/flip')
      }`
    const host = spawn(process.execPath, ['-e', flipper, shared, path.join(top, 'out')])
    const seen = new Set<string>()
    // As often as it takes to meet both of them.
    for (let links = 0; links < 50 || !seen.has('public'); ) {
      const folder = client.lookup('flip')
      if (typeof folder === 'number') continue
      if ((folder.mode & 0o170000) === 0o120000) links++
      const file = client.lookup('file', folder.node)
      if (typeof file === 'number') continue
      const handle = client.open(file.node, O.RDONLY)
      if (typeof handle !== 'bigint') continue
      seen.add(String(client.read(file.node, handle, 0, 100)))
      client.release(file.node, handle)
    }
    host.kill()
    assert.ok(!seen.has('secret'))
  })
})

describe('a guest', () => {
  test('makes no devices, FIFOs or sockets, opens none, and sets no set-uid bit', () => {
    for (const kind of [0o020000, 0o060000, 0o010000, 0o140000]) {
      assert.equal(
        client.ask(OPCODE.MKNOD, FUSE_ROOT_ID, [kind | 0o666, 0x103, 0, 0, 'node']).error,
        -ERRNO.EPERM,
      )
    }
    assert.equal(spawnSync('mkfifo', [inside('fifo')]).status, 0)
    assert.equal(client.lookup('fifo'), -ERRNO.EPERM)
    // One that takes a file's place after the guest looked.
    const { node } = createFile('swapped')
    fs.rmSync(inside('swapped'))
    fs.renameSync(inside('fifo'), inside('swapped'))
    for (const flags of [O.RDONLY, O.WRONLY, O.RDWR]) assert.ok((client.open(node, flags) as number) < 0)

    const program = createFile('program', FUSE_ROOT_ID, 0o6755)
    assert.equal(fs.statSync(inside('program')).mode & 0o7777, 0o755)
    const mode = [1, 0, 0n, 0n, 0n, 0n, 0n, 0n, 0, 0, 0, 0o7777, 0, 0, 0, 0]
    assert.equal(client.ask(OPCODE.SETATTR, program.node, mode).error, 0)
    assert.equal(fs.statSync(inside('program')).mode & 0o7777, 0o777)
    assert.equal(client.ask(OPCODE.MKDIR, FUSE_ROOT_ID, [0o7777, 0, 'sticky']).error, 0)
    assert.equal(fs.statSync(inside('sticky')).mode & 0o7777, 0o777)
    // One that the host set is not shown.
    fs.chmodSync(inside('program'), 0o4755)
    assert.equal(found(client.lookup('program')).mode, 0o100755)
    const user = [2, 0, 0n, 0n, 0n, 0n, 0n, 0n, 0, 0, 0, 0, 0]
    assert.equal(client.ask(OPCODE.SETATTR, program.node, [...user, 0, 0, 0]).error, -ERRNO.EPERM)
    assert.equal(client.ask(OPCODE.SETATTR, program.node, [...user, OWNER, 0, 0]).error, 0)
  })

  test('changes nothing of a folder that it may only read', () => {
    fs.writeFileSync(inside('file'), 'text')
    const reader = mount(false)
    const file = reader.walk('file')
    const root = BigInt(FUSE_ROOT_ID)
    const nothing = [0, 0, 0n, 0n, 0n, 0n, 0n, 0n, 0, 0, 0, 0, 0, 0, 0, 0]
    for (const [opcode, node, fields] of [
      [OPCODE.MKDIR, FUSE_ROOT_ID, [0o755, 0, 'a']],
      [OPCODE.MKNOD, FUSE_ROOT_ID, [0o100644, 0, 0, 0, 'a']],
      [OPCODE.CREATE, FUSE_ROOT_ID, [O.RDWR, 0o644, 0, 0, 'a']],
      [OPCODE.SYMLINK, FUSE_ROOT_ID, ['a', 'b']],
      [OPCODE.UNLINK, FUSE_ROOT_ID, ['file']],
      [OPCODE.RENAME, FUSE_ROOT_ID, [root, 'file', 'b']],
      [OPCODE.LINK, FUSE_ROOT_ID, [BigInt(file), 'b']],
      [OPCODE.SETATTR, file, nothing],
      [OPCODE.OPEN, file, [O.WRONLY, 0]],
      [OPCODE.OPEN, file, [O.RDONLY | O.TRUNC, 0]],
    ] as const) {
      assert.equal(reader.ask(opcode, node, fields).error, -ERRNO.EROFS, `opcode ${opcode}`)
    }
    const handle = reader.open(file, O.RDONLY) as bigint
    assert.equal(reader.write(file, handle, 0, Buffer.from('x')), -ERRNO.EROFS)
    assert.equal(String(reader.read(file, handle, 0, 10)), 'text')
  })

  test('gets no more than its share: open files, names, bytes of one request', () => {
    const before = openDescriptors()
    const { node, handle } = createFile('file')
    let opened = 1
    for (; opened < MAX_HANDLES + 10; opened++) if (typeof client.open(node, O.RDONLY) === 'number') break
    assert.equal(opened, MAX_HANDLES)
    assert.equal(client.open(node, O.RDONLY), -ERRNO.ENFILE)
    const big = client.ask(OPCODE.READ, node, [handle, 0n, MAX_TRANSFER + 1, 0, 0n, 0, 0], 1 << 20)
    assert.equal(big.error, -ERRNO.EINVAL)
    // More than its buffer holds.
    assert.equal(client.ask(OPCODE.READ, node, [handle, 0n, 4096, 0, 0n, 0, 0], 512).error, -ERRNO.EINVAL)
    for (const offset of [-1n, 1n << 62n, (1n << 53n) - 1n]) {
      assert.ok(client.ask(OPCODE.WRITE, node, [handle, offset, 16, 0, 0n, 0, 0], 16).error < 0)
    }
    client.session.reset()
    assert.equal(openDescriptors(), before)
    // Nothing is served before the guest mounts it.
    assert.equal(client.lookup('file'), -ERRNO.EIO)
  })
})

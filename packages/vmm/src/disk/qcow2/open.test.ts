import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import path from 'node:path'
import { after, afterEach, before, describe, it } from 'node:test'
import { openQcow2Chain } from './chain.ts'
import { createQcow2 } from './create.ts'
import { CLUSTER } from './format.ts'
import { growQcow2 } from './grow.ts'
import { checkQcow2, openQcow2 } from './open.ts'
import { GuestBuffer, qemuCheck, qemuImg, Random, temporaryFolder } from './testing/support.ts'

const MIB = 2 ** 20

describe('opening qcow2 images', () => {
  let folder = ''
  const guest = new GuestBuffer(4 * MIB, new Random(3))
  const at = (name: string) => path.join(folder, name)
  before(() => {
    folder = temporaryFolder()
  })
  afterEach(() => {
    for (const name of fs.readdirSync(folder)) fs.rmSync(at(name), { recursive: true })
  })
  after(() => {
    guest.close()
    fs.rmSync(folder, { recursive: true })
  })
  const problem = (kind: string, says: RegExp) => (error: Error) =>
    'problem' in error && error.problem === kind && says.test(error.message)

  it('creates what qemu-img finds clean and describes as ours', () => {
    for (const size of [512, MIB, 100 * MIB + 512, 2 ** 40, 16 * 2 ** 40]) {
      createQcow2({ path: at('new.qcow2'), size })
      qemuCheck(at('new.qcow2'))
      const image = openQcow2(at('new.qcow2'))
      assert.equal(image.size, size)
      const last = Math.min(size, 1024)
      guest.write(image, size - last, new Uint8Array(last).fill(5))
      image.close()
      qemuCheck(at('new.qcow2'))
      fs.rmSync(at('new.qcow2'))
    }
  })

  it('opens images whose requests wait, and no FIFO', () => {
    createQcow2({ path: at('base.qcow2'), size: MIB })
    createQcow2({ path: at('top.qcow2'), backing: { path: at('base.qcow2'), format: 'qcow2' } })
    const chain = openQcow2Chain(at('top.qcow2'), false)
    for (const fd of [chain.fd, ...chain.baseFds]) {
      const flags = /^flags:\s+([0-7]+)$/m.exec(fs.readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1]
      assert.equal(Number.parseInt(flags ?? '', 8) & fs.constants.O_NONBLOCK, 0)
      fs.closeSync(fd)
    }
    execFileSync('mkfifo', [at('fifo')])
    assert.throws(() => openQcow2(at('fifo'), { readOnly: true }), problem('invalid', /not a regular file/))
  })

  it('creates nothing from nonsense, and never over a file that exists', () => {
    for (const size of [0, -512, 1000, Number.NaN, 17 * 2 ** 40]) {
      assert.throws(() => createQcow2({ path: at('no.qcow2'), size }), problem('invalid', /disk/i))
    }
    fs.writeFileSync(at('there'), 'precious')
    assert.throws(() => createQcow2({ path: at('there'), size: MIB }), /EEXIST/)
    assert.equal(fs.readFileSync(at('there'), 'utf8'), 'precious')
    const backing = { path: 'nowhere', format: 'raw' } as const
    assert.throws(
      () => createQcow2({ path: at('no.qcow2'), backing }),
      problem('missing', /nowhere cannot be opened/),
    )
    assert.deepEqual(fs.readdirSync(folder), ['there'])
  })

  it('opens what qemu-img wrote in our dialect, and qemu-img reads it after we wrote', () => {
    const bytes = new Uint8Array(12 * MIB)
    const random = new Random(9)
    for (let i = 0; i < bytes.length; i += 3 * 4096) bytes.fill(random.below(256), i, i + 4096)
    fs.writeFileSync(at('source.raw'), bytes)
    qemuImg(['convert', '-f', 'raw', '-O', 'qcow2', at('source.raw'), at('theirs.qcow2')])
    const image = openQcow2(at('theirs.qcow2'))
    for (let offset = 0; offset < bytes.length; offset += 4 * MIB) {
      assert.equal(
        Buffer.compare(guest.read(image, offset, 4 * MIB), bytes.subarray(offset, offset + 4 * MIB)),
        0,
      )
    }
    for (let i = 0; i < 40; i++) {
      const data = new Uint8Array((1 + random.below(200)) * 512).fill(random.below(256))
      const offset = random.below((bytes.length - data.length) / 512) * 512
      guest.write(image, offset, data)
      bytes.set(data, offset)
    }
    image.writeZeroes(5 * MIB - 512, MIB, true)
    bytes.fill(0, 5 * MIB - 512, 6 * MIB - 512)
    image.close()
    qemuCheck(at('theirs.qcow2'))
    fs.writeFileSync(at('source.raw'), bytes)
    qemuImg(['compare', '-q', '-f', 'qcow2', '-F', 'raw', at('theirs.qcow2'), at('source.raw')])
    qemuImg(['convert', '-f', 'qcow2', '-O', 'raw', at('theirs.qcow2'), at('back.raw')])
    assert.equal(Buffer.compare(fs.readFileSync(at('back.raw')), bytes), 0)
  })

  it('opens preallocated images of qemu-img', () => {
    qemuImg(['create', '-q', '-f', 'qcow2', '-o', 'preallocation=metadata', at('pre.qcow2'), '8M'])
    const image = openQcow2(at('pre.qcow2'))
    guest.write(image, MIB, new Uint8Array(MIB).fill(1))
    assert.deepEqual(guest.read(image, 2 * MIB - 512, 1024), new Uint8Array(1024).fill(1, 0, 512))
    image.close()
    qemuCheck(at('pre.qcow2'))
  })

  for (const { name, options, says } of [
    { name: 'version 2', options: 'compat=0.10', says: /qcow2 version 2/ },
    { name: 'other clusters', options: 'cluster_size=4k', says: /clusters of 4096 bytes/ },
    { name: 'other counts', options: 'refcount_bits=64', says: /64 bits/ },
    { name: 'zstd', options: 'compression_type=zstd', says: /compression/ },
    { name: 'extended L2', options: 'extended_l2=on', says: /extended L2 entries/ },
    { name: 'lazy refcounts', options: 'lazy_refcounts=on', says: /lazy refcounts/ },
    { name: 'external data', options: 'data_file=DATA', says: /external data file/ },
    { name: 'raw external data', options: 'data_file=DATA,data_file_raw=on', says: /external data file/ },
    {
      name: 'encryption',
      // Not LUKS: qemu-img times its key derivation first, and gives up on a machine whose clock is coarse.
      options: 'encrypt.format=aes,encrypt.key-secret=s',
      says: /encrypted/,
    },
  ]) {
    it(`refuses ${name} as qemu-img makes it`, () => {
      const secret = name === 'encryption' ? ['--object', 'secret,id=s,data=x'] : []
      qemuImg([
        'create',
        '-q',
        ...secret,
        '-f',
        'qcow2',
        '-o',
        options.replace('DATA', at('data')),
        at('x.qcow2'),
        '64M',
      ])
      const before = fs.readFileSync(at('x.qcow2'))
      assert.throws(() => openQcow2(at('x.qcow2')), problem('unsupported', says))
      assert.deepEqual(fs.readFileSync(at('x.qcow2')), before)
    })
  }

  it('refuses internal snapshots, and what they leave behind is sound again', () => {
    createQcow2({ path: at('s.qcow2'), size: MIB })
    const image = openQcow2(at('s.qcow2'))
    guest.write(image, 0, new Uint8Array(CLUSTER).fill(1))
    image.close()
    qemuImg(['snapshot', '-c', 'one', at('s.qcow2')])
    assert.throws(() => openQcow2(at('s.qcow2')), problem('unsupported', /internal snapshots \(1\)/))
    qemuImg(['snapshot', '-d', 'one', at('s.qcow2')])
    const again = openQcow2(at('s.qcow2'))
    assert.deepEqual(guest.read(again, 0, CLUSTER), new Uint8Array(CLUSTER).fill(1))
    again.close()
  })

  it('refuses bitmaps', () => {
    createQcow2({ path: at('b.qcow2'), size: MIB })
    qemuImg(['bitmap', '--add', '-f', 'qcow2', at('b.qcow2'), 'map'])
    assert.throws(() => openQcow2(at('b.qcow2')), problem('unsupported', /persistent bitmaps/))
  })

  it('refuses compressed clusters where it meets them, and a check finds them', () => {
    fs.writeFileSync(at('source.raw'), new Uint8Array(MIB).fill(1))
    qemuImg(['convert', '-c', '-f', 'raw', '-O', 'qcow2', at('source.raw'), at('c.qcow2')])
    const image = openQcow2(at('c.qcow2'), { readOnly: true })
    assert.throws(() => guest.read(image, 0, 512), problem('unsupported', /compressed clusters/))
    image.close()
    const report = checkQcow2(at('c.qcow2'))
    assert.ok(report.corruptions > 0)
    assert.match(report.messages[0]!, /compressed clusters/)
  })

  describe('with backing files', () => {
    it('follows a chain to its bound, not further', () => {
      fs.writeFileSync(at('0'), new Uint8Array(MIB).fill(100))
      for (let i = 1; i <= 8; i++) {
        createQcow2({ path: at(`${i}`), backing: { path: `${i - 1}`, format: i === 1 ? 'raw' : 'qcow2' } })
        if (i === 8) break
        const image = openQcow2(at(`${i}`))
        guest.write(image, i * CLUSTER + 512, new Uint8Array(512).fill(i))
        image.close()
      }
      const top = openQcow2(at('7'))
      for (let i = 1; i <= 7; i++) {
        const expected = new Uint8Array(CLUSTER).fill(100).fill(i, 512, 1024)
        assert.deepEqual(guest.read(top, i * CLUSTER, CLUSTER), expected)
      }
      top.close()
      qemuImg(['convert', '-f', 'qcow2', '-O', 'raw', at('7'), at('flat')])
      const seventh = openQcow2(at('7'), { readOnly: true })
      assert.equal(Buffer.compare(guest.read(seventh, 0, MIB), fs.readFileSync(at('flat'))), 0)
      seventh.close()
      assert.throws(() => openQcow2(at('8')), problem('unsupported', /chain of more than 8 images/))
    })

    it('ends where an image names itself', () => {
      createQcow2({ path: at('a'), size: MIB })
      createQcow2({ path: at('b'), backing: { path: 'a', format: 'qcow2' } })
      qemuImg(['rebase', '-u', '-f', 'qcow2', '-F', 'qcow2', '-b', at('b'), at('a')])
      assert.throws(
        () => openQcow2(at('b'), { readOnly: true }),
        problem('unsupported', /chain of more than/),
      )
      assert.throws(() => openQcow2(at('b')), problem('in-use', /in use/))
    })

    it('opens only what lies beside the image, unless somebody else decides', () => {
      fs.mkdirSync(at('outside'))
      fs.mkdirSync(at('inside'))
      fs.writeFileSync(at('outside/secret'), new Uint8Array(MIB).fill(9))
      fs.symlinkSync(at('outside/secret'), at('inside/link'))
      for (const [name, target] of [
        ['absolute', at('outside/secret')],
        ['relative', '../outside/secret'],
        ['linked', 'link'],
      ] as const) {
        createQcow2({ path: at(`inside/${name}`), backing: { path: target, format: 'raw' } })
        assert.throws(() => openQcow2(at(`inside/${name}`)), problem('invalid', /outside its folder/))
        const image = openQcow2(at(`inside/${name}`), {
          backing: ({ path: written, resolved, format }) => {
            assert.deepEqual([written, format], [target, 'raw'])
            return fs.openSync(resolved!, 'r')
          },
        })
        assert.deepEqual(guest.read(image, 512, 512), new Uint8Array(512).fill(9))
        image.close()
      }
      const fd = fs.openSync(at('inside/relative'), 'r+')
      assert.throws(() => openQcow2(fd), problem('invalid', /nobody said where/))
      assert.throws(() => fs.fstatSync(fd), /EBADF/)
    })

    it('says which one is missing', () => {
      fs.writeFileSync(at('base'), new Uint8Array(MIB))
      createQcow2({ path: at('top'), backing: { path: 'base', format: 'raw' } })
      fs.rmSync(at('base'))
      assert.throws(
        () => openQcow2(at('top')),
        problem('missing', /based on base, which cannot be opened \(ENOENT\)/),
      )
    })

    it('never takes a raw base for qcow2, whatever its guest wrote at its beginning', () => {
      createQcow2({ path: at('trap'), size: MIB })
      createQcow2({ path: at('top'), backing: { path: 'trap', format: 'raw' } })
      const image = openQcow2(at('top'))
      assert.equal(Buffer.compare(guest.read(image, 0, 512), fs.readFileSync(at('trap')).subarray(0, 512)), 0)
      image.close()
    })
  })

  describe('locks', () => {
    it('lets one write, or several read', () => {
      createQcow2({ path: at('l'), size: MIB })
      const writer = openQcow2(at('l'))
      const inUse = problem('in-use', /in use by another machine or program/)
      assert.throws(() => openQcow2(at('l')), inUse)
      assert.throws(() => openQcow2(at('l'), { readOnly: true }), inUse)
      assert.throws(() => growQcow2(at('l'), 2 * MIB), inUse)
      writer.close()
      const one = openQcow2(at('l'), { readOnly: true })
      const two = openQcow2(at('l'), { readOnly: true })
      assert.throws(() => openQcow2(at('l')), inUse)
      one.close()
      two.close()
      openQcow2(at('l')).close()
    })

    it('are those of QEMU, too', async () => {
      createQcow2({ path: at('q'), size: MIB })
      const refused = (args: string[]) => qemuImg([...args, at('q')], [1])
      const writer = openQcow2(at('q'))
      refused(['info', '-f', 'qcow2'])
      refused(['check', '-f', 'qcow2'])
      writer.close()
      const reader = openQcow2(at('q'), { readOnly: true })
      qemuImg(['check', '-q', '-f', 'qcow2', at('q')])
      refused(['check', '-r', 'all', '-f', 'qcow2'])
      reader.close()

      for (const [flags, canRead] of [
        [['-r'], true],
        [[], false],
      ] as const) {
        const other = spawn('qemu-io', ['-f', 'qcow2', ...flags, at('q')], {
          stdio: ['pipe', 'pipe', 'inherit'],
        })
        // It prompts when the image is open.
        await once(other.stdout, 'data')
        assert.throws(() => openQcow2(at('q')), problem('in-use', /in use/))
        if (canRead) openQcow2(at('q'), { readOnly: true }).close()
        else assert.throws(() => openQcow2(at('q'), { readOnly: true }), problem('in-use', /in use/))
        other.stdin.end('quit\n')
        await once(other, 'close')
      }
      openQcow2(at('q')).close()
    })

    it('keeps a base from being written under an overlay', () => {
      createQcow2({ path: at('base'), size: MIB })
      createQcow2({ path: at('one'), backing: { path: 'base', format: 'qcow2' } })
      createQcow2({ path: at('two'), backing: { path: 'base', format: 'qcow2' } })
      const one = openQcow2(at('one'))
      const two = openQcow2(at('two'))
      assert.throws(() => openQcow2(at('base')), problem('in-use', /in use/))
      one.close()
      two.close()
    })
  })

  it('takes nothing but regular files', () => {
    assert.throws(() => openQcow2(folder), problem('missing', /EISDIR/))
    assert.throws(() => openQcow2(folder, { readOnly: true }), problem('invalid', /not a regular file/))
    assert.throws(() => openQcow2('/dev/null'), problem('invalid', /not a regular file/))
    assert.throws(() => openQcow2(at('none')), problem('missing', /ENOENT/))
  })

  it('repairs leaks after an unclean end, and leaves a damaged image alone', () => {
    createQcow2({ path: at('d'), size: 64 * MIB })
    let image = openQcow2(at('d'))
    guest.write(image, 0, new Uint8Array(MIB).fill(1))
    image.flush()
    image.discard(0, MIB / 2)
    image.flush()
    image.abandon()
    assert.equal(checkQcow2(at('d')).leaks, 8)
    const reports: number[] = []
    image = openQcow2(at('d'), { repaired: ({ leaks }) => reports.push(leaks) })
    assert.deepEqual(reports, [8])
    image.close()
    qemuCheck(at('d'))

    image = openQcow2(at('d'))
    guest.write(image, 32 * MIB, new Uint8Array(CLUSTER).fill(1))
    image.flush()
    image.abandon()
    // The counts of everything to zero.
    const fd = fs.openSync(at('d'), 'r+')
    fs.writeSync(fd, new Uint8Array(CLUSTER), 0, CLUSTER, 2 * CLUSTER)
    fs.closeSync(fd)
    const before = fs.readFileSync(at('d'))
    assert.throws(() => openQcow2(at('d')), problem('corrupt', /in use but counted as free/))
    assert.deepEqual(fs.readFileSync(at('d')), before)
  })
})

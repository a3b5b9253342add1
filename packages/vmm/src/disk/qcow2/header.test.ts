import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CLUSTER } from './format.ts'
import { encodeHeader, parseHeader } from './header.ts'

const plain = {
  size: 1024 ** 3,
  l1Offset: 0x30000,
  l1Size: 2,
  refcountTableOffset: 0x10000,
  refcountTableClusters: 1,
  backing: null,
}

/** Header of a 1 GiB image, field by field. */
const PLAIN = [
  '514649fb', // magic
  '00000003', // version
  '0000000000000000', // backing_file_offset
  '00000000', // backing_file_size
  '00000010', // cluster_bits
  '0000000040000000', // size
  '00000000', // crypt_method
  '00000002', // l1_size
  '0000000000030000', // l1_table_offset
  '0000000000010000', // refcount_table_offset
  '00000001', // refcount_table_clusters
  '00000000', // nb_snapshots
  '0000000000000000', // snapshots_offset
  '0000000000000000', // incompatible_features
  '0000000000000000', // compatible_features
  '0000000000000000', // autoclear_features
  '00000004', // refcount_order
  '00000070', // header_length
  '0000000000000000', // compression_type, padding
  '0000000000000000', // end of extensions
].join('')

const OVERLAY = [
  PLAIN.slice(0, 16),
  '0000000000000088', // backing_file_offset
  '0000000a', // backing_file_size
  PLAIN.slice(40, 224),
  'e2792aca', // backing file format
  '00000003',
  Buffer.from('raw\0\0\0\0\0').toString('hex'),
  '0000000000000000',
  Buffer.from('base/d.raw').toString('hex'),
].join('')

/** The cluster a header stands in, as it is read from a file. */
function cluster(hex: string): { bytes: Uint8Array; view: DataView } {
  const bytes = new Uint8Array(CLUSTER)
  bytes.set(Buffer.from(hex, 'hex'))
  return { bytes, view: new DataView(bytes.buffer) }
}
const FILE = 4 * CLUSTER
const parse = (bytes: Uint8Array, size = FILE) => parseHeader(bytes, size, 'The disk')

describe('the qcow2 header', () => {
  it('is written byte by byte as the specification says', () => {
    assert.equal(Buffer.from(encodeHeader(plain)).toString('hex'), PLAIN)
    const backing = { path: 'base/d.raw', format: 'raw' } as const
    assert.equal(Buffer.from(encodeHeader({ ...plain, backing })).toString('hex'), OVERLAY)
  })

  it('is read back', () => {
    assert.deepEqual(parse(cluster(PLAIN).bytes), { ...plain, dirty: false, autoclear: false })
    const backing = { path: 'base/d.raw', format: 'raw' }
    assert.deepEqual(parse(cluster(OVERLAY).bytes), { ...plain, backing, dirty: false, autoclear: false })
    const dirty = cluster(PLAIN)
    dirty.view.setUint32(76, 1)
    dirty.view.setUint32(92, 8)
    assert.deepEqual(parse(dirty.bytes), { ...plain, dirty: true, autoclear: true })
  })

  it('may be the short one of older programs', () => {
    const { bytes, view } = cluster(PLAIN)
    view.setUint32(100, 104)
    assert.equal(parse(bytes).size, plain.size)
  })

  const set =
    (at: number, value: number, base = PLAIN) =>
    () => {
      const { bytes, view } = cluster(base)
      view.setUint32(at, value)
      return bytes
    }
  const extension = (type: number, length: number) => () => {
    const { bytes, view } = cluster(PLAIN)
    view.setUint32(112, type)
    view.setUint32(116, length)
    return bytes
  }

  for (const { name, make, says } of [
    { name: 'version 2', make: set(4, 2), says: /qcow2 version 2/ },
    { name: 'other cluster sizes', make: set(20, 12), says: /clusters of 4096 bytes/ },
    { name: 'other reference counts', make: set(96, 0), says: /reference counts of 1 bits/ },
    { name: 'AES encryption', make: set(32, 1), says: /is encrypted/ },
    { name: 'LUKS encryption', make: extension(0x0537be77, 16), says: /is encrypted/ },
    { name: 'internal snapshots', make: set(60, 2), says: /internal snapshots \(2\)/ },
    { name: 'an external data file', make: set(76, 4), says: /external data file/ },
    { name: 'the name of an external data file', make: extension(0x44415441, 4), says: /external data file/ },
    { name: 'raw external data', make: set(92, 2), says: /external data file/ },
    { name: 'a compression type', make: set(76, 8), says: /compression/ },
    { name: 'extended L2 entries', make: set(76, 16), says: /extended L2 entries/ },
    { name: 'unknown features, low', make: set(76, 0x8000_0020), says: /incompatible bits 0x80000020/ },
    { name: 'unknown features, high', make: set(72, 1), says: /incompatible bits 0x100000000/ },
    { name: 'lazy refcounts', make: set(84, 1), says: /lazy refcounts/ },
    { name: 'bitmaps', make: set(92, 1), says: /persistent bitmaps/ },
    { name: 'stale bitmaps', make: extension(0x23852875, 24), says: /persistent bitmaps/ },
    { name: 'more than 16 TiB', make: set(24, 0x1001), says: /larger than 16 TiB/ },
    { name: 'a huge refcount table', make: set(56, 5), says: /refcount table of 5 clusters/ },
    { name: 'a backing file without format', make: set(112, 1, OVERLAY), says: /without saying its format/ },
    {
      name: 'a backing file of another format',
      make: () =>
        cluster(OVERLAY.replace(Buffer.from('raw\0').toString('hex'), Buffer.from('vdi\0').toString('hex')))
          .bytes,
      says: /format "vdi"/,
    },
    {
      name: 'a backing file over a protocol',
      make: () =>
        cluster(OVERLAY.replace(Buffer.from('base/').toString('hex'), Buffer.from('nbd:/').toString('hex')))
          .bytes,
      says: /not a plain file name/,
    },
  ]) {
    it(`refuses ${name}, and says what to do`, () => {
      assert.throws(
        () => parse(make()),
        (error: Error) =>
          'problem' in error &&
          error.problem === 'unsupported' &&
          says.test(error.message) &&
          /Import it/.test(error.message),
      )
    })
  }

  for (const { name, make, size, says } of [
    { name: 'a corrupt bit', make: set(76, 2), says: /marked as corrupt/ },
    { name: 'an impossible cluster size', make: set(20, 63), says: /cluster size is 2\^63/ },
    { name: 'impossible reference counts', make: set(96, 7), says: /2\^7 bits/ },
    { name: 'a size of nothing', make: set(28, 0), says: /0 bytes/ },
    { name: 'a size that is no sectors', make: set(28, 1000), says: /1000 bytes/ },
    { name: 'an L1 table that is too short', make: set(36, 1), says: /L1 table has 1 entries/ },
    { name: 'an L1 table that is too long', make: set(36, 0xffff_ffff), says: /L1 table has 4294967295/ },
    { name: 'an L1 table beside a cluster', make: set(44, 0x30200), says: /not at a cluster/ },
    { name: 'an L1 table at the header', make: set(44, 0), says: /not at a cluster/ },
    { name: 'an L1 table outside the file', make: set(44, 0x40000), says: /outside the file/ },
    { name: 'an L1 table far outside', make: set(40, 0xffff_ffff), says: /outside the file/ },
    { name: 'no refcount table', make: set(56, 0), says: /no refcount table/ },
    { name: 'a refcount table that ends outside', make: set(56, 4), says: /outside the file/ },
    { name: 'a header longer than the file', make: set(100, 65544), says: /65544 bytes long/ },
    { name: 'a header that is too short', make: set(100, 96), says: /96 bytes long/ },
    { name: 'a header of odd length', make: set(100, 107), says: /107 bytes long/ },
    {
      name: 'an endless extension',
      make: extension(0x12345678, 0xffff_fff0),
      says: /longer than the header/,
    },
    {
      name: 'a backing name outside the header',
      make: set(12, 0x10000, OVERLAY),
      says: /outside its header/,
    },
    { name: 'a backing name within the fields', make: set(12, 8, OVERLAY), says: /outside its header/ },
    { name: 'a long backing name', make: set(16, 1024, OVERLAY), says: /outside its header/ },
    { name: 'a backing name with control characters', make: set(136, 0, OVERLAY), says: /not text/ },
    { name: 'a backing name that is no UTF-8', make: set(136, 0xffff_ffff, OVERLAY), says: /not text/ },
    {
      name: 'a file that ends within the header',
      make: () => cluster(PLAIN).bytes.subarray(0, 80),
      size: 80,
      says: /ends within/,
    },
  ] as { name: string; make: () => Uint8Array; size?: number; says: RegExp }[]) {
    it(`calls ${name} damage`, () => {
      assert.throws(
        () => parse(make(), size),
        (error: Error) => 'problem' in error && error.problem === 'corrupt' && says.test(error.message),
      )
    })
  }

  it('of something else is no qcow2 image', () => {
    for (const bytes of [
      new Uint8Array(),
      new Uint8Array(7),
      new Uint8Array(512),
      Buffer.from('QFI\xfa'.padEnd(512), 'latin1'),
    ]) {
      assert.throws(() => parse(bytes, bytes.length), /not a qcow2 image/)
    }
  })
})

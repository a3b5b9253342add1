import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import { FIRST_USABLE_SECTOR, guid, type Partition, partitionTable, partitionType, SECTOR } from './gpt.ts'

const DISK_SECTORS = 131_072
const diskUuid = '6f2a1c1e-0d5b-4b3e-9a61-5e3d0a9b7c11'
const root: Partition = {
  number: 1,
  type: partitionType.linuxRootX8664,
  uuid: '0b9f8a55-31a5-4d84-8d3c-5b8a5f0d7e02',
  name: 'root',
  firstSector: 8192,
  sectors: 65_536,
}
const esp: Partition = {
  number: 15,
  type: partitionType.efiSystem,
  uuid: '1c8e7b44-20b4-4c93-9c4b-4a7b4e1c6d03',
  name: 'efi',
  firstSector: 2048,
  sectors: 4096,
}

test('a GUID is stored with its first three groups little endian', () => {
  assert.equal(guid(partitionType.efiSystem).toString('hex'), '28732ac11ff8d211ba4b00a0c93ec93b')
  assert.throws(() => guid('c12a7328'), RangeError)
})

test('both headers point at each other and carry right checksums', () => {
  const { primary, backup } = partitionTable(DISK_SECTORS, diskUuid, [root, esp])
  assert.equal(primary.length, FIRST_USABLE_SECTOR * SECTOR)
  assert.equal(backup.length, 33 * SECTOR)
  const headers = [primary.subarray(SECTOR, 2 * SECTOR), backup.subarray(-SECTOR)]
  const positions = headers.map((header) => [24, 32, 72].map((at) => Number(header.readBigUInt64LE(at))))
  const last = DISK_SECTORS - 1
  assert.deepEqual(positions, [
    [1, last, 2],
    [last, 1, last - 32],
  ])
  const entries = [primary.subarray(2 * SECTOR), backup.subarray(0, -SECTOR)]
  for (const [index, header] of headers.entries()) {
    const bare = Buffer.from(header.subarray(0, 92))
    bare.writeUInt32LE(0, 16)
    assert.equal(header.readUInt32LE(16), crc32(bare))
    assert.equal(header.readUInt32LE(88), crc32(entries[index]!))
  }
})

test('the protective MBR keeps the boot code and covers the disk', () => {
  const code = Buffer.alloc(440, 0xab)
  const { primary } = partitionTable(DISK_SECTORS, diskUuid, [root], code)
  assert.deepEqual(primary.subarray(0, 440), code)
  assert.equal(primary[446 + 4], 0xee)
  assert.equal(primary.readUInt32LE(446 + 8), 1)
  assert.equal(primary.readUInt32LE(446 + 12), DISK_SECTORS - 1)
  assert.equal(primary.readUInt16LE(510), 0xaa55)
  assert.throws(() => partitionTable(DISK_SECTORS, diskUuid, [root], Buffer.alloc(441)), /440 fit/)
})

test('partitions that overlap or do not fit are refused by name', () => {
  const table = (partition: Partition) => partitionTable(DISK_SECTORS, diskUuid, [esp, partition])
  assert.throws(() => table({ ...root, firstSector: 6143 }), /partition 1 \(root\) overlaps/)
  assert.throws(() => table({ ...root, firstSector: 33 }), /overlaps/)
  assert.throws(() => table({ ...root, sectors: DISK_SECTORS }), /does not fit/)
  assert.throws(() => table({ ...root, number: 129 }), /no place/)
  assert.ok(table({ ...root, firstSector: 6144, sectors: DISK_SECTORS - 34 - 6144 + 1 }))
})

test('partx reads the table as it was meant', (t) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'hearth-gpt-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const { primary, backup } = partitionTable(DISK_SECTORS, diskUuid, [root, esp])
  const disk = Buffer.alloc(DISK_SECTORS * SECTOR)
  primary.copy(disk, 0)
  backup.copy(disk, disk.length - backup.length)
  const file = path.join(folder, 'disk')
  writeFileSync(file, disk)
  const columns = 'NR,START,SECTORS,NAME,UUID,TYPE'
  const result = spawnSync('partx', ['--raw', '--noheadings', '--output', columns, file])
  assert.equal(result.status, 0, result.stderr.toString())
  const row = (p: Partition) => [p.number, p.firstSector, p.sectors, p.name, p.uuid, p.type].join(' ')
  assert.equal(result.stdout.toString(), `${row(root)}\n${row(esp)}\n`)
})

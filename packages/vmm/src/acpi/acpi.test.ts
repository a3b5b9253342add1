import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { ACPI_TABLES, ECAM, GENERATION_ID, PCI_MMIO } from '../machine/layout.ts'
import * as aml from './aml.ts'
import { buildAcpi } from './tables.ts'

const sum = (bytes: Uint8Array): number => bytes.reduce((total, byte) => (total + byte) & 0xff, 0)
const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

test('the root pointer leads to every table, and every checksum holds', () => {
  const acpi = buildAcpi(3)
  assert.equal(acpi.rsdp, ACPI_TABLES.start)
  const bytes = acpi.bytes
  const at = (address: number): Uint8Array => {
    const offset = address - ACPI_TABLES.start
    const length = view(bytes).getUint32(offset + 4, true)
    return bytes.subarray(offset, offset + length)
  }
  const signature = (table: Uint8Array): string => String.fromCharCode(...table.subarray(0, 4))
  assert.equal(String.fromCharCode(...bytes.subarray(0, 8)), 'RSD PTR ')
  assert.equal(sum(bytes.subarray(0, 20)), 0)
  assert.equal(sum(bytes.subarray(0, 36)), 0)
  const xsdt = at(view(bytes).getUint32(24, true))
  assert.equal(signature(xsdt), 'XSDT')
  const pointers = Array.from({ length: (xsdt.length - 36) / 8 }, (_, i) =>
    view(xsdt).getUint32(36 + i * 8, true),
  )
  const tables = pointers.map(at)
  assert.deepEqual(tables.map(signature), ['FACP', 'APIC', 'MCFG'])
  const facp = tables[0]!
  const dsdt = at(view(facp).getUint32(40, true))
  assert.equal(signature(dsdt), 'DSDT')
  assert.equal(view(facp).getUint32(140, true), view(facp).getUint32(40, true))
  for (const table of [xsdt, dsdt, ...tables]) assert.equal(sum(table), 0, signature(table))
})

test('the FADT: fixed hardware, not reduced, reset register, fixed power button', () => {
  const facp = buildAcpi(1).tables.get('FACP')!
  const v = view(facp)
  assert.equal(facp.length, 276)
  assert.equal(v.getUint16(46, true), 9)
  assert.equal(v.getUint32(56, true), 0x600)
  assert.equal(v.getUint32(64, true), 0x604)
  assert.equal(v.getUint32(76, true), 0x608)
  assert.deepEqual([v.getUint32(80, true), facp[92]], [0x620, 4])
  const flags = v.getUint32(112, true)
  assert.equal(flags & (1 << 4), 0, 'PWR_BUTTON clear: the button is a fixed feature')
  assert.notEqual(flags & (1 << 10), 0, 'RESET_REG_SUP')
  assert.equal(flags & (1 << 20), 0, 'HW_REDUCED_ACPI clear')
  assert.deepEqual([...facp.subarray(116, 129)], [1, 8, 0, 1, 0xf9, 0x0c, 0, 0, 0, 0, 0, 0, 6])
})

test('a PS/2 keyboard is told of by DSDT and FADT, of a machine that has one', () => {
  const told = (keyboard: boolean): boolean[] => {
    const { tables } = buildAcpi(1, 0, keyboard)
    const bootArchitecture = view(tables.get('FACP')!).getUint16(109, true)
    const dsdt = Buffer.from(tables.get('DSDT')!)
    return [(bootArchitecture & 2) !== 0, dsdt.includes(Buffer.from(aml.eisaId('PNP0303')))]
  }
  assert.deepEqual(told(true), [true, true])
  assert.deepEqual(told(false), [false, false])
})

test('the MADT lists every CPU, the IOAPIC, the timer and SCI overrides', () => {
  const apic = buildAcpi(32).tables.get('APIC')!
  const kinds: number[] = []
  const ids: number[] = []
  for (let at = 44; at < apic.length; at += apic[at + 1]!) {
    kinds.push(apic[at]!)
    if (apic[at] === 0) ids.push(apic[at + 3]!)
  }
  assert.deepEqual(
    ids,
    Array.from({ length: 32 }, (_, i) => i),
  )
  assert.deepEqual(kinds.slice(32), [1, 2, 2, 4])
})

test('the MCFG names the ECAM of bus 0', () => {
  const mcfg = buildAcpi(1).tables.get('MCFG')!
  assert.equal(view(mcfg).getUint32(44, true), ECAM.start)
  assert.deepEqual([mcfg[54], mcfg[55]], [0, 0])
})

test('AML package lengths take one to four bytes', () => {
  const length = (n: number): number[] => aml.buffer(new Array(n).fill(0)).slice(1, 5)
  assert.equal(length(10)[0], 13)
  // 62 bytes of data: 62 + integer (2) + length (2)
  assert.deepEqual(length(62).slice(0, 2), [0x40 | (66 & 15), 66 >> 4])
  assert.deepEqual(length(5000).slice(0, 3), [0x80 | (5006 & 15), (5006 >> 4) & 0xff, 5006 >> 12])
  assert.throws(() => aml.nameString('lower'), RangeError)
})

test('AML names and ids are encoded as the specification says', () => {
  assert.deepEqual(aml.nameString('\\_SB.PCI0'), [0x5c, 0x2e, ...Buffer.from('_SB_PCI0')])
  assert.deepEqual(aml.eisaId('PNP0A03'), [0x0c, 0x41, 0xd0, 0x0a, 0x03])
  assert.deepEqual(aml.integer(0x1234), [0x0b, 0x34, 0x12])
  assert.deepEqual(aml.integer(0xc000_0000), [0x0c, 0, 0, 0, 0xc0])
})

const hasIasl = spawnSync('iasl', ['-v']).status === 0

test('iasl reads every table back without error or warning', {
  skip: !hasIasl && 'iasl is not installed',
}, (t) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'acpi-'))
  t.after(() => rmSync(folder, { recursive: true }))
  for (const [signature, table] of buildAcpi(4, 10, true).tables) {
    const file = path.join(folder, `${signature}.aml`)
    writeFileSync(file, table)
    const output = execFileSync('iasl', ['-d', file], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
    assert.doesNotMatch(output, /error|invalid|incorrect/i, signature)
  }
  const source = readFileSync(path.join(folder, 'DSDT.dsl'), 'utf8')
  assert.match(source, /Name \(\\_S5, Package \(0x04\)/)
  assert.match(source, new RegExp(`0x0*${PCI_MMIO.start.toString(16)}, *// Range Minimum`, 'i'))
  for (const device of ['PCI0', 'COM1', 'RTC', 'PEVT', 'VGEN', 'KBD', 'V000', 'V009', 'C000', 'C003'])
    assert.match(source, new RegExp(`Device \\(${device}\\)`))
  assert.match(source, /Method \(_E00[\s\S]*Notify \(\\_SB\.VGEN, 0x80\)/)
  assert.match(source, new RegExp(`0x0*${GENERATION_ID.toString(16)},`, 'i'))
  // The DSDT compiles again: grammar and resource lengths hold.
  // Without 6035: QEMU's name for the generation ID, which guests know, does not end in hexadecimal digits.
  const compiled = spawnSync('iasl', ['-vw', '6035', '-oa', path.join(folder, 'DSDT.dsl')], {
    encoding: 'utf8',
  })
  assert.match(compiled.stdout, /0 Errors, 0 Warnings/, compiled.stdout + compiled.stderr)
})

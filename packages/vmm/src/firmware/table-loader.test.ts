import assert from 'node:assert/strict'
import { test } from 'node:test'
import { directMachine } from '../acpi/tables.ts'
import { ACPI_FILE, acpiFiles } from './table-loader.ts'

const PLACES: Record<string, number> = {
  [ACPI_FILE.tables]: 0x7ff_0000,
  [ACPI_FILE.rsdp]: 0xf_5000,
  [ACPI_FILE.generationId]: 0x7fe_0000,
}
const text = (bytes: Uint8Array): string => String.fromCharCode(...bytes).replace(/\0.*$/s, '')
const sum = (bytes: Uint8Array): number => bytes.reduce((total, byte) => (total + byte) & 0xff, 0)

/** Does what the script says, with checksums added as SeaBIOS does or replaced as OVMF does. */
function load(checksums: 'add' | 'replace') {
  const made = acpiFiles(directMachine(2))
  const files: Record<string, Buffer> = {
    [ACPI_FILE.tables]: Buffer.from(made.tables),
    [ACPI_FILE.rsdp]: Buffer.from(made.rsdp),
    [ACPI_FILE.generationIdAddress]: Buffer.alloc(8),
  }
  const script = Buffer.from(made.loader)
  for (let at = 0; at < script.length; at += 128) {
    const entry = script.subarray(at, at + 128)
    const file = text(entry.subarray(4, 60))
    const bytes = files[file]!
    switch (entry.readUInt32LE(0)) {
      case 2: {
        const target = PLACES[text(entry.subarray(60, 116))]!
        const offset = entry.readUInt32LE(116)
        const size = entry.readUInt8(120)
        if (size === 4) bytes.writeUInt32LE(bytes.readUInt32LE(offset) + target, offset)
        else bytes.writeBigUInt64LE(bytes.readBigUInt64LE(offset) + BigInt(target), offset)
        break
      }
      case 3: {
        const offset = entry.readUInt32LE(60)
        const start = entry.readUInt32LE(64)
        const total = sum(bytes.subarray(start, start + entry.readUInt32LE(68)))
        bytes[offset] = (checksums === 'add' ? bytes[offset]! : 0) - total
        break
      }
      case 4:
        bytes.writeBigUInt64LE(BigInt(PLACES[text(entry.subarray(60, 116))]!), entry.readUInt32LE(116))
    }
  }
  return {
    generationId: files[ACPI_FILE.generationIdAddress]!.readBigUInt64LE(),
    ...{ tables: files[ACPI_FILE.tables]!, rsdp: files[ACPI_FILE.rsdp]! },
  }
}

for (const checksums of ['add', 'replace'] as const) {
  test(`after the script every table is reached from the RSDP and sums to zero (checksums: ${checksums})`, () => {
    const { tables, rsdp, generationId } = load(checksums)
    assert.equal(generationId, 0x7fe_0000n)
    // ADDR, a package of two: the address with its offset in the page, then zero.
    const named = tables.indexOf('ADDR')
    assert.equal(tables.readUInt32LE(named + 8), 0x7fe_0028)
    assert.equal(tables[named + 12], 0)
    assert.equal(sum(rsdp.subarray(0, 20)), 0)
    assert.equal(sum(rsdp), 0)
    const at = (address: number | bigint): Buffer => {
      const offset = Number(address) - PLACES[ACPI_FILE.tables]!
      return tables.subarray(offset, offset + tables.readUInt32LE(offset + 4))
    }
    const rsdt = at(rsdp.readUInt32LE(16))
    const xsdt = at(rsdp.readBigUInt64LE(24))
    const fromRsdt = [0, 1, 2].map((i) => at(rsdt.readUInt32LE(36 + 4 * i)))
    const fromXsdt = [0, 1, 2].map((i) => at(xsdt.readBigUInt64LE(36 + 8 * i)))
    assert.deepEqual(fromXsdt, fromRsdt)
    assert.deepEqual(
      fromXsdt.map((table) => text(table.subarray(0, 4))),
      ['FACP', 'APIC', 'MCFG'],
    )
    const facp = fromXsdt[0]!
    const dsdt = at(facp.readUInt32LE(40))
    assert.equal(facp.readBigUInt64LE(140), BigInt(facp.readUInt32LE(40)))
    assert.equal(text(at(facp.readUInt32LE(36)).subarray(0, 4)), 'FACS')
    for (const table of [rsdt, xsdt, dsdt, ...fromXsdt]) assert.equal(sum(table), 0)
  })
}

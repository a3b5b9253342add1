import assert from 'node:assert/strict'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { appendFirmwareLog, FIRMWARE_LOG_MAX, openFirmwareLog } from './firmware-log.ts'

test('lines are appended until the log is full, and a disk that is full harms nobody', (t) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'firmware-log-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = path.join(folder, 'log')
  const fd = openFirmwareLog(file)!
  appendFirmwareLog(fd, 'one')
  appendFirmwareLog(fd, 'two')
  assert.equal(readFileSync(file, 'utf8'), 'one\ntwo\n')
  truncateSync(file, FIRMWARE_LOG_MAX - 1)
  appendFirmwareLog(fd, 'the last')
  appendFirmwareLog(fd, 'left out')
  assert.equal(statSync(file).size, FIRMWARE_LOG_MAX - 1 + 'the last\n'.length)
  closeSync(fd)
  const full = openSync('/dev/full', 'w')
  appendFirmwareLog(full, 'nowhere')
  closeSync(full)
  assert.throws(() => openFirmwareLog(path.join(folder, 'none', 'log')), /--firmware-log .*does not open/)
})

/** `GET /recordings/<uid>/data`: the file as it is now; one that still grows, as far as it is. */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import type { RecordingReport } from '@hearth/shared/recording'

export interface RecordedFiles {
  find(recordingUid: string): RecordingReport | undefined
  file(recordingUid: string): string
}

export async function answerRecording(
  recordings: RecordedFiles,
  recordingUid: string,
  response: ServerResponse,
): Promise<void> {
  const file = recordings.find(recordingUid) ? recordings.file(recordingUid) : null
  const size = file === null ? 0 : ((await stat(file).catch(() => null))?.size ?? 0)
  if (file === null || size === 0) {
    response.writeHead(404).end()
    return
  }
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': size })
  // Whoever asked may go away in the middle.
  await pipeline(createReadStream(file, { end: size - 1 }), response).catch(() => response.destroy())
}

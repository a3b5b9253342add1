/**
 * For programs that a test starts and tells what to do: one line of JSON when they are ready, and one as the answer to each line
 * of their standard input. They end with that, which is also when the test is gone, however it went; also from a start or a
 * clearing up that does not end, and from errors in spite of which Next keeps its process.
 */
import { createInterface } from 'node:readline'

export interface ToldProgram {
  /** Its first line. */
  readonly ready: unknown
  obey(line: string): unknown
  end(): Promise<void>
}

export async function obeyTest(begin: () => Promise<ToldProgram>, clearingUpMs = 15_000): Promise<never> {
  const input = createInterface({ input: process.stdin })
  // Now: a line that comes while it begins is kept so.
  const lines = input[Symbol.asyncIterator]()
  input.once('close', () => setTimeout(() => process.exit(1), clearingUpMs))
  // Who reads may be gone before its end of the input is heard of.
  process.stdout.on('error', () => {})
  const answer = (value: unknown) => process.stdout.write(`${JSON.stringify(value)}\n`)
  try {
    const program = await begin()
    answer(program.ready)
    for await (const line of lines) answer(await program.obey(line))
    await program.end()
    process.exit(0)
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.stack : error}\n`)
    process.exit(1)
  }
}

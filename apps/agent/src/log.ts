/**
 * The agent's log: one line an event on stderr, `time level message key=value …`. Values are quoted when they
 * hold anything that could break the line. Secrets (tokens, password hashes, user data) are never passed here.
 */
export type LogFields = Record<string, string | number | boolean | null | undefined>

export interface Log {
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
}

const maxValue = 2000

export function formatLogLine(time: Date, level: string, message: string, fields: LogFields = {}): string {
  let line = `${time.toISOString()} ${level} ${oneLine(message)}`
  for (const [key, value] of Object.entries(fields)) {
    if (value === undefined || value === null) continue
    const text = String(value).slice(0, maxValue)
    line += ` ${key}=${/^[\w./:@%+,-]+$/.test(text) ? text : JSON.stringify(text)}`
  }
  return line
}

function oneLine(text: string): string {
  return text.slice(0, maxValue).replaceAll(/[\r\n]+/g, ' ')
}

export function createLog(write: (line: string) => void = (line) => process.stderr.write(`${line}\n`)): Log {
  const at = (level: string) => (message: string, fields?: LogFields) =>
    write(formatLogLine(new Date(), level, message, fields))
  return { info: at('info'), warn: at('warn'), error: at('error') }
}

/** The text of anything thrown, for the log. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause === undefined ? error.message : `${error.message} (${errorText(error.cause)})`
}

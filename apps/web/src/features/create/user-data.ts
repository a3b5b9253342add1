/** What cloud-init would say about a text, said while it is typed. The YAML reader is loaded when it is needed. */

export interface UserDataProblem {
  kind: 'unknown' | 'yaml' | 'shape'
  /** 1-based, where it is. */
  line?: number
  detail?: string
}

/** The first lines cloud-init knows (its documentation, "User data formats"), in the order it tries them. */
const firstLines =
  /^(#cloud-config-archive\b|#cloud-config\b|#cloud-boothook\b|#include\b|#part-handler\b|## template:\s*jinja\b|#!|(MIME-Version|Content-Type):)/i

export async function userDataProblem(text: string): Promise<UserDataProblem | null> {
  if (text.trim() === '') return null
  if (!firstLines.test(text)) return { kind: 'unknown', line: 1 }
  if (!/^#cloud-config\b/.test(text) || /^#cloud-config-archive\b/.test(text)) return null
  const { parseDocument, isMap } = await import('yaml')
  const document = parseDocument(text, { prettyErrors: true })
  const [error] = document.errors
  if (error)
    return {
      kind: 'yaml',
      ...(error.linePos ? { line: error.linePos[0].line } : {}),
      // The library's message ends with the place and a drawing of it.
      detail: error.message.split(' at line ')[0]!,
    }
  // Nothing but the first line is an empty configuration.
  if (document.contents !== null && !isMap(document.contents)) return { kind: 'shape', line: 2 }
  return null
}

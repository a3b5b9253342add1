/**
 * Where a worker's code lies. In the source tree every worker sits in its own folder; the bundler puts each one
 * flat beside main.js under the name given here. Only this file knows both layouts.
 */
export function workerUrl(importMetaUrl: string, bundledName: string, sourcePath: string): URL {
  return importMetaUrl.endsWith('.ts')
    ? new URL(sourcePath, importMetaUrl)
    : new URL(`./${bundledName}.js`, importMetaUrl)
}

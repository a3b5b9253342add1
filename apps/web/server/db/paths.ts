import { fileURLToPath } from 'node:url'

/** prisma/ at the root of the repository. */
const prismaFolder = new URL('../../../../prisma/', import.meta.url)

export const schemaFile = fileURLToPath(new URL('schema.prisma', prismaFolder))

export type Provider = 'sqlite' | 'postgresql'

export const migrationsFolder: Record<Provider, string> = {
  sqlite: fileURLToPath(new URL('migrations/', prismaFolder)),
  postgresql: fileURLToPath(new URL('postgresql/migrations/', prismaFolder)),
}

/** Where the generated client is. */
export const generatedFolder: Record<Provider, string> = {
  sqlite: fileURLToPath(new URL('../generated/', import.meta.url)),
  postgresql: fileURLToPath(new URL('../generated-postgresql/', import.meta.url)),
}

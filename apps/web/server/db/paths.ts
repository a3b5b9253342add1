import { fileURLToPath } from 'node:url'

/** prisma/ at the root of the repository. */
const prismaFolder = new URL('../../../../prisma/', import.meta.url)

export const schemaFile = fileURLToPath(new URL('schema.prisma', prismaFolder))
export const migrationsFolder = fileURLToPath(new URL('migrations/', prismaFolder))
export const generatedFolder = fileURLToPath(new URL('../generated/', import.meta.url))

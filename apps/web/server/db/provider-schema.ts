import { readFile } from 'node:fs/promises'
import { generatedFolder, type Provider, schemaFile } from './paths.ts'

/** prisma/schema.prisma as one provider's: it is written for SQLite and has nothing that PostgreSQL has not. */
export async function providerSchema(provider: Provider): Promise<string> {
  const schema = await readFile(schemaFile, 'utf8')
  return schema
    .replace(
      /(generator client \{[^}]*?output\s*=\s*)"[^"]*"/,
      `$1${JSON.stringify(generatedFolder[provider])}`,
    )
    .replace(/(datasource db \{[^}]*?provider\s*=\s*)"sqlite"/, `$1"${provider}"`)
}

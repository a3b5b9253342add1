import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { BuildContext, RecipeDefinition } from './recipe.ts'

/** A recipe that is made in no time, for tests of what is around recipes. `during` runs in the middle of the build. */
export function trivialRecipe(
  imageUid: string,
  during: (context: BuildContext) => Promise<void> = async () => {},
): RecipeDefinition {
  return {
    imageUid,
    name: imageUid,
    description: 'for tests',
    recipeHash: `hash of ${imageUid}`,
    kind: 'disk',
    source: 'build',
    boot: 'direct',
    version: '',
    origin: '',
    downloadBytes: 0,
    cloudInit: false,
    loginUser: null,
    minMemoryBytes: 1,
    minDiskBytes: 0,
    async build(context) {
      context.progress(50, 'half of it')
      await during(context)
      for (const file of ['kernel', 'initrd']) await writeFile(path.join(context.folder, file), imageUid)
      return { disk: null, kernel: 'kernel', initrd: 'initrd', cmdline: 'console=ttyS0' }
    },
  }
}

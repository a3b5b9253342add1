import { distributionRecipe, distributions } from '../images/distributions.ts'
import { debian12 } from './debian-12/recipe.ts'
import { debian12Desktop } from './debian-12-desktop/recipe.ts'
import type { RecipeDefinition } from './recipe.ts'
import { tinyLinux } from './tiny-linux/recipe.ts'

/** Every image Hearth can build or download, in the order the catalogue shows them. */
export const recipes: readonly RecipeDefinition[] = [
  debian12,
  debian12Desktop,
  tinyLinux,
  ...distributions.map((distribution) => distributionRecipe(distribution)),
]

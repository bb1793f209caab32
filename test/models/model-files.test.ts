import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { PACKAGE_ROOT } from '../../src/app/config.ts'
import { readExamples } from '../../src/models/examples.ts'
import { readModels } from '../../src/models/model-files.ts'
import { modelText, SHIPPED_MODELS } from './model-text.ts'

let directory: string
const at = (name: string) => join(directory, name)
const model = (id: string) => modelText({ head: `version: 1\nid: ${id}\nname: A model` })

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'upswell-models-'))
})
afterEach(async () => {
  await rm(directory, { recursive: true })
})

describe('reading model files', () => {
  it('reads the YAML files of a directory, sorted by name, with their text', async () => {
    await writeFile(at('b.yaml'), model('first'))
    await writeFile(at('a.yml'), model('second'))
    await writeFile(at('notes.md'), 'not a model')
    await mkdir(at('old.yaml'))
    await writeFile(join(at('old.yaml'), 'c.yaml'), 'not read')
    await symlink(at('b.yaml'), at('c.txt'))
    const models = await readModels(directory)
    expect(models.map(({ file, text, definition }) => [file, text, definition.id])).toEqual([
      [at('a.yml'), model('second'), 'second'],
      [at('b.yaml'), model('first'), 'first'],
    ])
  })

  it('follows links, as in a mounted configuration', async () => {
    await writeFile(at('data'), model('linked'))
    await symlink(at('data'), at('a.yaml'))
    expect((await readModels(directory)).map(({ definition }) => definition.id)).toEqual(['linked'])
  })

  it('passes over files of macOS and editors, and reads a mounted ConfigMap', async () => {
    await mkdir(at('..2026_01_05'))
    await writeFile(at('..2026_01_05/growth.yaml'), model('growth'))
    await symlink('..2026_01_05', at('..data'))
    await symlink('..data/growth.yaml', at('growth.yaml'))
    for (const name of [
      '._growth.yaml',
      '.growth.yml',
      '.yaml',
      '.DS_Store',
      'growth.yaml~',
      '#growth.yaml#',
    ])
      await writeFile(at(name), 'no model')
    // The lock of Emacs is a link to nothing.
    await symlink('me@host.1:2', at('.#growth.yaml'))
    expect((await readModels(directory)).map(({ file }) => file)).toEqual([at('growth.yaml')])
  })

  it('reads a file with a dot first if it is named itself', async () => {
    await writeFile(at('.mine.yaml'), model('mine'))
    expect((await readModels(at('.mine.yaml'))).map(({ definition }) => definition.id)).toEqual(['mine'])
  })

  it('reads named files and directories in the given order, whatever their names', async () => {
    await mkdir(at('more'))
    await writeFile(at('z'), model('first'))
    await writeFile(at('more/a.yaml'), model('second'))
    expect((await readModels([at('z'), at('more')])).map(({ definition }) => definition.id)).toEqual([
      'first',
      'second',
    ])
    expect(await readModels([])).toEqual([])
  })

  it('reports the problems of all files at once', async () => {
    await writeFile(at('a.yaml'), modelText({ head: 'id: A\nversion: 1\nname: A' }))
    await writeFile(at('b.yaml'), model('good'))
    await writeFile(at('c.yaml'), modelText({ tiers: 'tires: []' }))
    await expect(readModels(directory)).rejects.toMatchObject({
      code: 'INVALID_MODEL',
      problems: [
        { file: at('a.yaml'), line: 1, column: 5 },
        {
          file: at('c.yaml'),
          line: 16,
          column: 1,
          message: expect.stringContaining('did you mean "tiers"?'),
        },
      ],
    })
  })

  it('refuses two models with one id, and points at the second', async () => {
    await writeFile(at('a.yaml'), model('same'))
    await writeFile(at('b.yaml'), model('same'))
    await expect(readModels(directory)).rejects.toThrow(
      `${at('b.yaml')}:2:5: ${at('a.yaml')} has the same id same; one version of a model runs at a time; remove one of the files`,
    )
  })

  it('refuses bytes that are not UTF-8', async () => {
    await writeFile(at('a.yaml'), Buffer.concat([Buffer.from(model('a')), Buffer.from([0xc3, 0x28])]))
    await expect(readModels(directory)).rejects.toThrow(
      `${at('a.yaml')}:1:1: found bytes that are not UTF-8; a model is UTF-8 text; save it as such`,
    )
  })

  it('reads a file with a byte order mark, and keeps it in the text', async () => {
    await writeFile(at('a.yaml'), `\uFEFF${model('marked')}`)
    const [read] = await readModels(directory)
    expect([read!.definition.id, read!.text[0]]).toEqual(['marked', '\uFEFF'])
  })

  it("throws Node's error for a missing file", async () => {
    await expect(readModels(at('nowhere'))).rejects.toMatchObject({ code: 'ENOENT', path: at('nowhere') })
  })
})

describe('the shipped models', () => {
  it.each(SHIPPED_MODELS)('%s is valid, and so are its examples', async file => {
    const [model] = await readModels([join(PACKAGE_ROOT, file)])
    const examples = readExamples(model!.text, file)
    expect(examples.every(({ signals }) => signals.length > 0)).toBe(true)
  })
})

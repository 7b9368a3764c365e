/** What one source found, and what it could not see. A program that is not installed is no note. */
export interface Found<Item> {
  items: Item[];
  notes: string[];
}

export const nothing = <Item>(...notes: string[]): Found<Item> => ({ items: [], notes });

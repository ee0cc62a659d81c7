/**
 * No index serves every filter that the API has, and each would cost every insert. So a filtered list walks its scope's
 * index, looks at so many rows and no more, and the page says where it stopped: about 15 ms with everything in memory.
 */
export const scanRowsMax = 5000;

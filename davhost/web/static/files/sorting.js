// The heads of the columns: they sort, say by what, and remember it in the URL.

/** Sort as the page came, and by what is pressed. */
export function followSorting(table, listing, start) {
  const heads = [...table.tHead.querySelectorAll("[data-sort]")];
  const show = ({ key, down }) => {
    for (const head of heads) {
      const chosen = head.dataset.sort === key;
      if (chosen) head.setAttribute("aria-sort", down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    }
  };
  for (const head of heads) {
    head.querySelector("a").addEventListener("click", (event) => {
      event.preventDefault();
      const key = head.dataset.sort;
      const down = listing.sort.key === key && !listing.sort.down;
      listing.sortBy(key, down);
      show(listing.sort);
      history.replaceState(null, "", `?sort=${key}${down ? "&order=down" : ""}`);
    });
  }
  listing.sortBy(start.key, start.down);
  show(start);
}

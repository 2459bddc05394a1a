// The pages of the board: address, word, and the right that it takes.
export const PAGES = [["/", "backToBoard", "figures"], ["/board/place.html", "dataPage", ""], ["/board/tasks.html", "tasksPage", "meters"], ["/board/filings.html", "filingsPage", "meters"], ["/board/dispatch.html", "dispatchPage", "meters"], ["/board/desk.html", "desk", ""]];

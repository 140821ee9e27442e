"""A drop on a page, by script: a folder whose reader tells a hundred entries at a time, as browsers do."""

DROP = """([name, files, empty]) => {
    const leaf = (path) => ({
        isFile: true, isDirectory: false, name: path.split("/").at(-1),
        file: (answer) => setTimeout(() => answer(new File([path], path.split("/").at(-1), {lastModified: 1e12}))),
    });
    const folder = (name, children) => ({
        isFile: false, isDirectory: true, name,
        createReader() {
            let at = 0;
            const readEntries = (answer) => {
                const batch = children.slice(at, at += 100);
                setTimeout(() => answer(batch));
            };
            return { readEntries };
        },
    });
    const inner = new Map();
    for (const path of files) {
        const [first, ...rest] = path.split("/");
        if (!inner.has(first)) inner.set(first, []);
        if (rest.length) inner.get(first).push(leaf(path)); else inner.set(first, leaf(path));
    }
    const children = [...inner].map(([first, held]) => Array.isArray(held) ? folder(first, held) : held);
    const root = folder(name, [...children, ...empty.map((one) => folder(one, []))]);
    const items = [{kind: "file", webkitGetAsEntry: () => root, getAsFile: () => null}];
    const event = new Event("drop", {bubbles: true, cancelable: true});
    Object.defineProperty(event, "dataTransfer", {value: {types: ["Files"], items}});
    return new Promise((done) => setTimeout(() => {
        document.body.dispatchEvent(event);
        done();
    }));
}"""
"""Given the name of the folder, paths of files below it (one folder deep), and names of empty folders. Each file holds
its own path. The event has a task of its own, as a real one has."""

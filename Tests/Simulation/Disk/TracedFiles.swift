// A traced disk at one moment: what is safe, what is not yet, and the images that a power cut just then could leave of it.
internal import Values

/// What a power cut leaves of the changes that were not synced.
package enum ImageKind: Int, CaseIterable, Sendable {
    /// Nothing of them.
    case nothing
    /// All of them: the process died and the machine did not.
    case everything
    /// Any of them, each whole.
    case subset
    /// Any of them, whole, in sectors, or with half a sector.
    case torn
    /// The oldest of them, the last of those torn.
    case prefix
    /// All but that the youngest is torn.
    case lastTorn
}

/// The files of a trace after some of its changes. A value: the bytes of an image are shared until they differ.
struct TracedFiles {
    private struct File {
        var durable: FileBytes = []
        var pending: [PendingChange] = []
    }
    private struct FolderChange {
        let order: Int
        let name: String
        let file: Int?
    }
    private var files: [Int: File] = [:]
    private var names: [String: Int] = [:]
    private var durableNames: [String: Int] = [:]
    private var folder: [FolderChange] = []
    private var order = 0
    /// False for a drive that answers a sync and does nothing: the control of the harness itself.
    private let heedsSyncs: Bool

    init(heedsSyncs: Bool = true) { self.heedsSyncs = heedsSyncs }

    mutating func take(_ change: DiskChange) {
        order += 1
        switch change {
        case .create(let file, let name):
            files[file] = File()
            point(name, at: file)
        case .rename(let name, let other):
            point(other, at: names[name])
            point(name, at: nil)
        case .delete(let name): point(name, at: nil)
        case .write(let file, let offset, let bytes): wait(.write(offset: offset, bytes: bytes), file)
        case .truncate(let file, let size): wait(.truncate(size: size), file)
        case .sync(let file): if heedsSyncs { sync(file) }
        case .syncFolder: if heedsSyncs { syncFolder() }
        }
    }

    private mutating func point(_ name: String, at file: Int?) {
        names[name] = file
        folder.append(FolderChange(order: order, name: name, file: file))
    }

    private mutating func wait(_ step: PendingChange.Step, _ file: Int) { files[file]?.pending.append(PendingChange(order: order, step: step)) }

    private mutating func sync(_ file: Int) {
        guard var bytes = files[file]?.durable, let pending = files[file]?.pending else { return }
        files[file]?.durable = []
        for change in pending { Inode.apply(change.step, to: &bytes) }
        files[file] = File(durable: bytes)
    }

    private mutating func syncFolder() {
        durableNames = names
        folder = []
        // A file that no name can lead to any more is gone.
        let kept = Set(names.values)
        files = files.filter { kept.contains($0.key) }
    }

    // MARK: - Images

    /// One image: names and bytes, and a number that tells it from the others of the same moment.
    struct Image {
        var files: [String: [UInt8]] = [:]
        var recipe: [Int] = []
    }

    func image(_ kind: ImageKind, _ chance: inout SeededRandom) -> Image {
        var image = Image()
        var names = durableNames
        let orders = (folder.map(\.order) + files.values.flatMap { $0.pending.map(\.order) }).sorted()
        let cut = kind == .prefix && !orders.isEmpty ? orders[chance.int(0...(orders.count - 1))] : orders.last ?? 0
        for (place, change) in folder.enumerated() where keeps(change, kind, cut, &chance) {
            names[change.name] = change.file
            image.recipe.append(-1 - place)
        }
        // By name: the draws must be the same in every run.
        for (name, number) in names.sorted(by: { $0.key < $1.key }) {
            guard let file = files[number] else { continue }
            var bytes = file.durable
            for change in file.pending {
                for step in remains(of: change, kind, cut, &chance) {
                    Inode.apply(step, to: &bytes)
                    image.recipe += [change.order, TracedFiles.sum(step)]
                }
            }
            image.files[name] = bytes.all
        }
        return image
    }

    private func keeps(_ change: FolderChange, _ kind: ImageKind, _ cut: Int, _ chance: inout SeededRandom) -> Bool {
        switch kind {
        case .nothing: false
        case .everything, .lastTorn: true
        case .subset, .torn: chance.chance(1, in: 2)
        case .prefix: change.order <= cut
        }
    }

    private func remains(of change: PendingChange, _ kind: ImageKind, _ cut: Int, _ chance: inout SeededRandom) -> [PendingChange.Step] {
        switch kind {
        case .nothing: []
        case .everything: [change.step]
        case .subset: chance.chance(1, in: 2) ? [change.step] : []
        case .torn: chance.chance(1, in: 3) ? Inode.torn(change.step, &chance) : chance.chance(1, in: 2) ? [change.step] : []
        case .prefix, .lastTorn: change.order < cut ? [change.step] : change.order == cut ? Inode.torn(change.step, &chance) : []
        }
    }

    /// Tells two remains of one change apart.
    private static func sum(_ step: PendingChange.Step) -> Int {
        switch step {
        case .write(let offset, let bytes): offset << 20 | bytes.count
        case .truncate(let size): -1 - size
        }
    }
}

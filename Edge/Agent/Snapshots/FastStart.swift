// The start: the newest snapshot that the ledger itself vouches for, then the entries after it; without one, every entry from the first.
package import Ledger
package import Platform
internal import Synchronization
package import Values
package import Views
package import Wire

/// What a start made of the ledger.
package struct Recovered {
    package let journal: Journal
    package var book: Book
    package var milestones: Milestones
    /// The snapshot that was started from; nil when every entry was read.
    package let snapshot: SnapshotHeader?
    /// Its length; 0 without one.
    package let snapshotBytes: Int64
    /// Names of the snapshots that count, oldest first.
    package var kept: [String]
    /// Why a newer snapshot was not started from, one line each.
    package var remarks: [String]
    /// The snapshot is another release's and was started from for want of its entries: one of this release's own is due at once.
    package var isBorrowed = false
    /// What a person has to look at before positions are opened on this book; nil when nobody has.
    package var trouble: LedgerTrouble?
}

/// Opens a ledger.
package enum FastStart {
    /// - Parameters:
    ///   - files: where snapshots lie; nil reads every entry.
    ///   - release: of this build; another release's snapshot is started from only where entries below it are lost, which nobody can fold any more.
    ///   - check: of the checkpoints' signatures.
    /// - Throws: what reading every entry from the first throws. What is wrong with a snapshot is a remark.
    package static func open(
        _ store: any JournalStore, edge: EdgeID, files: (any KeptFiles)?, release: String = Version.product,
        check: @escaping SignatureCheck = Signing.check
    ) throws(JournalError) -> Recovered {
        var remarks: [String] = []
        let names = files.map { FastStart.names(in: $0, &remarks) } ?? []
        for (place, name) in names.enumerated() {
            guard let files else { break }
            do throws(Unfit) {
                let file = try read(name, files, of: edge)
                // What refuses it by its table alone comes first: the parts of another release's file are not even looked at.
                guard file.header.release == release else {
                    throw .unfit("release \(file.header.release) made it, and this one folds for itself")
                }
                // An older one was counted when this one was written; whether it is sound is seen when it is needed.
                var recovered = try start(file, name, store, edge, release, check)
                recovered.kept = Array(names[place...].prefix(2).reversed())
                recovered.remarks = remarks
                return recovered
            } catch {
                switch error {
                case .unfit(let words): remarks.append("\(name) is not started from: \(words)")
                case .store(let error): throw .store(error)
                }
            }
        }
        var book = Book(edge: edge)
        var milestones = Milestones()
        let fold = { (entry: Entry) in
            book.apply(entry)
            milestones.note(entry)
        }
        do throws(JournalError) {
            let journal = try Journal(store: store, edge: edge, replay: fold, check: check)
            return Recovered(journal: journal, book: book, milestones: milestones, snapshot: nil, snapshotBytes: 0, kept: [], remarks: remarks)
        } catch {
            guard error.missing != nil, let files else { throw error }
            return try instead(of: error, names, files, store, edge, release, check, remarks)
        }
    }

    /// Entries that the whole fold needs are lost. What another release added up while it had them is as good as they were, and nothing else is.
    /// - Throws: `lost` when there is no such snapshot.
    private static func instead(
        of lost: JournalError, _ names: [String], _ files: any KeptFiles, _ store: any JournalStore, _ edge: EdgeID, _ release: String,
        _ check: @escaping SignatureCheck, _ former: [String]
    ) throws(JournalError) -> Recovered {
        for (place, name) in names.enumerated() {
            do throws(Unfit) {
                let file = try read(name, files, of: edge)
                guard file.header.release != release else { continue }
                var recovered = try start(file, name, store, edge, release, check)
                recovered.kept = Array(names[place...].prefix(2).reversed())
                recovered.isBorrowed = true
                recovered.remarks = former + ["\(name) is started from all the same: what lies before it cannot be folded (\(lost))"]
                return recovered
            } catch { if case .store(let error) = error { throw .store(error) } }
        }
        throw lost
    }

    /// Why a snapshot is passed over, or why there is no start at all.
    private enum Unfit: Error {
        case unfit(String)
        case store(StoreError)
    }

    /// Newest first.
    private static func names(in files: any KeptFiles, _ remarks: inout [String]) -> [String] {
        do throws(KeptFileError) { return try files.names().filter { SnapshotFile.seq(of: $0) != nil }.sorted(by: >) } catch {
            remarks.append("no snapshot can be looked for: \(error)")
            return []
        }
    }

    /// The file, its table compared with its hash.
    private static func read(_ name: String, _ files: any KeptFiles, of edge: EdgeID) throws(Unfit) -> SnapshotFile {
        let bytes: [UInt8]?
        do throws(KeptFileError) { bytes = try files.read(name) } catch { throw .unfit("\(error)") }
        guard let bytes else { throw .unfit("it is gone") }
        let file: SnapshotFile
        do throws(SnapshotError) { file = try SnapshotFile(bytes) } catch { throw .unfit("\(error)") }
        guard file.header.edge == edge else { throw .unfit("it is of another edge") }
        return file
    }

    /// Folds the entries after the snapshot's, and looks among them for the one that makes the snapshot count.
    private static func start(
        _ file: SnapshotFile, _ name: String, _ store: any JournalStore, _ edge: EdgeID, _ release: String, _ check: @escaping SignatureCheck
    ) throws(Unfit) -> Recovered {
        let header = file.header
        let anchor = try anchor(header, store)
        guard isSound(file) else { throw .unfit("its file is damaged (a part does not give its hash)") }
        var book: Book
        var milestones: Milestones
        do throws(SnapshotError) {
            let (opened, beside) = try file.open()
            book = opened
            do throws(PackError) { milestones = try Milestones(packed: beside) } catch { throw .damaged("\(error)") }
        } catch { throw .unfit("\(error)") }
        let digest = book.digest(), other = Hashing.blake2b(milestones.packed)
        var fact: SnapshotFact?
        var difference: String?
        let journal: Journal
        do throws(JournalError) {
            journal = try Journal(store: store, edge: edge, after: (anchor, header.signer), former: header.former) { entry in
                if entry.kind == Kind.snapshot.rawValue, case .snapshot(let found)? = try? entry.decoded(), found.seq == header.head.seq {
                    fact = found
                    if found.book != digest || found.milestones != other { difference = "it adds up to another digest than entry \(entry.seq) says" }
                }
                if entry.kind == Kind.checkpoint.rawValue, book.boot?.version == release, difference == nil,
                    case .checkpoint(let checkpoint)? = try? entry.decoded(), checkpoint.digest != book.digest()
                {
                    difference = "from it the entries add up to another book than checkpoint \(entry.seq) was signed over"
                }
                book.apply(entry)
                milestones.note(entry)
            }
        } catch {
            if case .store(let cause) = error { throw .store(cause) }
            // The whole fold says where the damage is, or that there is none.
            throw .unfit("the entries after it do not verify: \(error)")
        }
        let bytes = Int64(file.byteCount)
        guard fact?.file == name, fact?.hash == file.hash, fact?.bytes == bytes else { throw .unfit("no entry of this ledger speaks of it") }
        var recovered = Recovered(
            journal: journal, book: book, milestones: milestones, snapshot: header, snapshotBytes: bytes, kept: [], remarks: [])
        if let difference {
            // Another release may add up to another digest, or read these bytes otherwise: only a person can tell which.
            guard header.release != release else { throw .unfit(difference) }
            recovered.trouble = doubt(header)
        }
        return recovered
    }

    private static func doubt(_ header: SnapshotHeader) -> LedgerTrouble {
        LedgerTrouble(
            .different,
            "The book was taken from the snapshot that release \(header.release) made at entry \(header.head.seq): entries before it are lost, and this "
                + "release cannot tell whether it reads it as that one did. No position is opened.",
            cure: "Compare positions and orders with the broker's own screen; if they agree, stop and start the edge, then: tidewire-edge resume. "
                + "Better: put the lost segment files back from a copy, or take the whole ledger from the cloud, and start again.")
    }

    /// The entry that the snapshot stands at, as the ledger has it now.
    private static func anchor(_ header: SnapshotHeader, _ store: any JournalStore) throws(Unfit) -> Entry {
        guard header.head.seq.raw <= store.head.seq else { throw .unfit("it is newer than the ledger, which ends at entry \(store.head.seq)") }
        let rows: [EntryRow]
        do throws(StoreError) { rows = try store.read(from: header.head.seq.raw, limit: 1, maxBytes: .max) } catch {
            if case .missing = error { throw .unfit("\(error)") }
            throw .store(error)
        }
        guard let row = rows.first, let entry = try? Entry(row), entry.head == header.head, Chain.hash(entry, edge: header.edge) == entry.hash else {
            throw .unfit("entry \(header.head.seq) of this ledger is not the one it was made at")
        }
        return entry
    }

    /// Whether every part gives its hash: before that not a byte of one is decoded. Half of the bytes are hashed on a thread of its own.
    private static func isSound(_ file: SnapshotFile) -> Bool {
        let middle = file.middle
        let other = Verdict()
        let thread = SystemThread(name: "snapshot") { other.isSound.store(file.isSound(middle..<file.partCount), ordering: .releasing) }
        let isFirstSound = file.isSound(0..<middle)
        thread.join()
        return isFirstSound && other.isSound.load(ordering: .acquiring)
    }

    private final class Verdict: Sendable {
        let isSound = Atomic<Bool>(false)
    }
}

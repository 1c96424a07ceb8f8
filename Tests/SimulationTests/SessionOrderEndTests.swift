// How an order ends: never before its executions were read, never by a code alone, and not by a cancel that was refused.
import Ledger
import Simulation
import Testing
import Values
import Venues

@Suite struct SessionOrderEndTests {
    /// An order's own message says that it is cancelled and not how much was filled: its end is told after its executions.
    @Test(arguments: [0, 30]) func theOrdersOwnMessageEndsItOnlyAfterItsExecutions(filled: Int) throws {
        var desk = try OneOrder(.limit)
        desk.status("Submitted")
        desk.open("Cancelled")
        #expect(desk.statuses() == [.new])
        desk.gateway.pass(.milliseconds(1_200))
        let request = try #require(desk.gateway.sent("7").first)[2]
        if filled > 0 { desk.execution("e.01", shares: filled, sum: filled, request: request) }
        #expect(desk.gateway.hear().orders(5).allSatisfy { $0.status != .canceled }, "more of them may follow")
        desk.gateway.say(["55", "1", request])
        let last = try #require(desk.gateway.hear().orders(5).last)
        #expect(last.status == .canceled && last.cumQty == Quantity(whole: Int64(filled)))
        desk.status("Cancelled", filled: filled)
        #expect(desk.gateway.hear().isEmpty, "it is over already")
    }

    /// The status right behind it tells the filled quantity, and nothing has to be asked.
    @Test(arguments: [0, 30]) func theStatusBehindItTellsHowMuchIsMissing(filled: Int) throws {
        var desk = try OneOrder(.limit)
        desk.status("Submitted")
        desk.open("Cancelled")
        desk.status("Cancelled", filled: filled)
        if filled > 0 {
            #expect(desk.statuses() == [.new])
            desk.execution("e.01", shares: filled, sum: filled)
        }
        #expect(desk.gateway.hear().orders(5).last?.status == .canceled)
        desk.gateway.pass(.seconds(3))
        #expect(desk.gateway.sent("7").isEmpty)
    }

    /// In the lists of a snapshot the open orders come first: the end of an order is told after the fills of the same snapshot.
    @Test func inASnapshotTheFillsComeBeforeTheEnd() throws {
        var desk = try OneOrder(.limit)
        desk.status("Submitted")
        desk.gateway.ask(.snapshot)
        desk.open("Cancelled")
        var heard: [VenueEvent] = []
        // The end came in the midst of the first picture: it is taken again.
        for _ in 0..<2 {
            desk.gateway.pass(.milliseconds(300))
            let frames = desk.gateway.sent()
            let request = try #require(frames.first { $0[0] == "7" })[2]
            desk.endOpenOrders()
            desk.execution("e.01", shares: 30, sum: 30, request: request)
            let summary = try #require(frames.first { $0[0] == "62" })[2]
            for end in [["55", "1", request], ["102"], ["64", "1", summary], ["62", "1"]] { desk.gateway.say(end) }
            heard += desk.gateway.hear()
        }
        let fill = try #require(heard.firstIndex { if case .fill = $0 { true } else { false } })
        let end = try #require(heard.firstIndex { if case .order(let order, _) = $0 { order.status == .canceled } else { false } })
        #expect(fill < end && heard.fills.first?.isReplayed == true && heard.orders(5).last?.cumQty == Quantity(whole: 30))
        #expect(heard.snapshots.count == 1)
    }

    /// What was asked before the end was told may have been answered before its last fill.
    @Test func aListAskedForBeforeTheEndProvesNothing() throws {
        var desk = try OneOrder(.limit)
        desk.status("Submitted")
        desk.gateway.complain(5, 105, "Order being modified does not match original order")
        let early = try #require(desk.gateway.sent("7").first)[2]
        desk.open("Cancelled")
        desk.gateway.say(["55", "1", early])
        #expect(desk.gateway.hear().orders(5).allSatisfy { $0.status != .canceled })
        desk.gateway.pass(.milliseconds(1_200))
        let late = try #require(desk.gateway.sent("7").first)[2]
        desk.gateway.say(["55", "1", late])
        #expect(desk.gateway.hear().orders(5).last?.status == .canceled)
    }

    /// A last word that is quicker than its executions is held, also when a list ends in between; after ten seconds it is of days not listed any more.
    @Test(arguments: [true, false]) func aWordAheadOfItsExecutionsWaitsForThem(comes: Bool) throws {
        var desk = try OneOrder()
        desk.status("Filled", filled: 100)
        for _ in 0..<3 {
            desk.gateway.pass(.milliseconds(2_200))
            let request = try #require(desk.gateway.sent("7").first)[2]
            desk.gateway.say(["55", "1", request])
            #expect(desk.statuses().allSatisfy { $0 != .filled }, "the list ended without them")
        }
        if comes {
            desk.execution("e.01", shares: 100, sum: 100)
        } else {
            desk.gateway.pass(.milliseconds(4_200))
            desk.gateway.say(["55", "1", try #require(desk.gateway.sent("7").last)[2]])
        }
        let heard = desk.gateway.hear()
        #expect(heard.orders(5).last?.status == .filled && heard.orders(5).last?.cumQty == Quantity(whole: comes ? 100 : 0))
        #expect(heard.fills.count == (comes ? 1 : 0))
    }

    /// A gateway that does not list executions is not believed about the end; the comparison after reconnecting tells it.
    @Test func withoutAListOfExecutionsTheConnectionIsRenewed() throws {
        var desk = try OneOrder(.limit)
        desk.status("Submitted")
        desk.open("Cancelled")
        for _ in 0..<12 where !desk.gateway.wishes.contains(.disconnect) { desk.gateway.pass(.seconds(5)); desk.gateway.say(["49", "1", "1"]) }
        #expect(desk.gateway.wishes.contains(.disconnect) && desk.gateway.hear().orders(5).allSatisfy { $0.status != .canceled })
    }

    // MARK: Refusals

    private static let doubted = [113, 116, 133, 145, 146, 147, 148, 151, 152, 153, 154, 155, 156, 157, 158, 328, 10_006]

    /// Codes that refuse an order end it as refused, with the reason, once the open orders do not list it.
    @Test(arguments: doubted) func aCodeThatTurnsAnOrderDownEndsIt(code: Int) throws {
        var desk = try OneOrder(.limit)
        _ = desk.gateway.sent()
        _ = desk.gateway.hear()
        desk.gateway.complain(5, code, "Orders cannot be transmitted for a halted security.")
        #expect(desk.gateway.sent("5").count == 1 && desk.statuses().isEmpty)
        desk.endOpenOrders()
        let heard = desk.gateway.hear()
        #expect(heard.orders(5).map(\.status) == [.rejected] && heard.orders(5).first?.text.contains("halted") == true)
        #expect(heard.notices.map(\.code) == [Int64(code)])
    }

    @Test(arguments: doubted) func anOrderThatIsSeenAliveIsNotRefusedByThem(code: Int) throws {
        for isListed in [true, false] {
            var desk = try OneOrder(.limit)
            desk.gateway.complain(5, code, "Orders cannot be transmitted for a halted security.")
            if isListed { desk.open("Submitted") }
            desk.status("Submitted")
            desk.endOpenOrders()
            #expect(Set(desk.statuses()) == [.new])
            desk.status("Cancelled")
            #expect(desk.statuses() == [.canceled], "a cancel later on is no refusal")
        }
    }

    /// One that the broker had taken, and that is gone after the code: how it ended is for the comparison to tell.
    @Test func aTakenOrderThatIsGoneAfterTheCodeIsCompared() throws {
        var desk = try OneOrder(.limit)
        desk.status("PreSubmitted")
        _ = desk.gateway.hear()
        desk.gateway.complain(5, 154, "halted")
        desk.endOpenOrders()
        let heard = desk.gateway.hear()
        #expect(heard.missingOrders == [5] && heard.orders(5).isEmpty)
    }

    // MARK: Codes that nobody has described

    private static let undescribed = [354, 416, 420, 435, 9_999, 10_028, 10_052, 10_245, 10_311, 10_318]

    /// Before any word of the order such a code may be its refusal: it is one when neither the open orders nor the executions hold the order.
    @Test(arguments: undescribed) func anUndescribedCodeOfAnAbsentOrderRefusesIt(code: Int) throws {
        var desk = try OneOrder(.limit)
        _ = desk.gateway.sent()
        _ = desk.gateway.hear()
        desk.gateway.complain(5, code, "This order is not for you.")
        #expect(desk.gateway.sent("5").count == 1 && desk.statuses().isEmpty)
        desk.endOpenOrders()
        #expect(desk.statuses().isEmpty, "it may have filled")
        let request = try #require(desk.gateway.sent("7").first)[2]
        desk.gateway.say(["55", "1", request])
        let heard = desk.gateway.hear()
        #expect(heard.orders(5).map(\.status) == [.rejected] && heard.orders(5).first?.text.contains("not for you") == true)
        #expect(heard.notices.map(\.code) == [Int64(code)])
        desk.gateway.pass(.seconds(7))
        #expect(desk.gateway.sent().isEmpty, "it is settled")
    }

    /// An order that the broker lists lives, whatever the code: the words are a warning.
    @Test(arguments: undescribed, ["PreSubmitted", "Inactive", "PendingSubmit"]) func ofAnOrderThatIsListedItIsAWarning(code: Int, word: String)
        throws
    {
        var desk = try OneOrder(.limit)
        desk.gateway.complain(5, code, "This order is not for you.")
        desk.open(word)
        desk.endOpenOrders()
        let told = desk.gateway.hear().orders(5)
        #expect(told.last?.text.contains("not for you") == true && told.allSatisfy { !$0.status.isTerminal })
        desk.status("Submitted")
        desk.status("Cancelled")
        #expect(desk.statuses().last == .canceled, "a cancel later on is no refusal")
    }

    /// It filled between the code and the list of open orders, and the word of it is late.
    @Test(arguments: undescribed) func anOrderThatFilledMeanwhileIsNotRefused(code: Int) throws {
        for isListed in [true, false] {
            var desk = try OneOrder(.limit)
            _ = desk.gateway.sent()
            desk.gateway.complain(5, code, "This order is not for you.")
            desk.endOpenOrders()
            let request = try #require(desk.gateway.sent("7").first)[2]
            desk.execution("e.01", shares: 100, sum: 100, request: isListed ? request : "-1")
            desk.gateway.say(["55", "1", request])
            let heard = desk.gateway.hear()
            #expect(heard.fills.count == 1 && heard.orders(5).allSatisfy { $0.status != .rejected } && heard.missingOrders == [5])
            desk.status("Filled", filled: 100)
            #expect(desk.statuses() == [.filled])
        }
    }

    /// Nobody ends the list of executions: the order is not called refused; the comparison after reconnecting settles it.
    @Test func withoutAListOfExecutionsItIsNotSettled() throws {
        var desk = try OneOrder(.limit)
        desk.gateway.complain(5, 10_318, "This order is not for you.")
        desk.open("PendingSubmit")
        desk.gateway.complain(5, 10_318, "This order is not for you.")
        desk.endOpenOrders()
        desk.endOpenOrders()
        for _ in 0..<12 where !desk.gateway.wishes.contains(.disconnect) { desk.gateway.pass(.seconds(5)); desk.gateway.say(["49", "1", "1"]) }
        #expect(desk.gateway.wishes.contains(.disconnect) && desk.gateway.hear().orders(5).allSatisfy { !$0.status.isTerminal })
    }

    /// However long the gateway talks, what is told fits an entry of the ledger.
    @Test func aReasonOfAMegabyteIsCut() throws {
        var desk = try OneOrder(.limit)
        desk.gateway.complain(5, 201, String(repeating: "NO! ", count: 1 << 18))
        let heard = desk.gateway.hear()
        let order = try #require(heard.orders(5).last)
        #expect(order.status == .rejected && order.text.utf8.count < 5_000 && order.text.hasPrefix("NO! ") && order.text.hasSuffix("\u{2026}"))
        #expect(heard.notices.allSatisfy { $0.text.utf8.count < 5_000 })
    }

    // MARK: Cancels

    @Test(arguments: [136, 161, 10_148]) func aRefusedCancelGivesTheOrderBack(code: Int) throws {
        var desk = try OneOrder(.limit)
        desk.status("Submitted")
        desk.cancel()
        _ = desk.gateway.hear()
        desk.gateway.complain(5, code, "Cancel attempted when order is not in a cancellable state.")
        #expect(desk.gateway.hear().refusedCancels.isEmpty, "the list of open orders has not been read")
        desk.open("Submitted")
        desk.status("Submitted")
        desk.endOpenOrders()
        let refused = desk.gateway.hear().refusedCancels
        #expect(refused.count == 1 && refused.first?.code == Int64(code) && refused.first?.text.contains("cancellable") == true)
        // It can be cancelled again, and ends then.
        desk.cancel()
        desk.status("Cancelled")
        #expect(desk.statuses().last == .canceled)
    }

    @Test(arguments: [10_147, 202]) func anOrderThatTheBrokerDoesNotKnowAnyMoreIsCompared(code: Int) throws {
        var desk = try OneOrder(.limit)
        desk.status("Submitted")
        desk.cancel()
        desk.gateway.complain(5, code, "OrderId 5 that needs to be cancelled is not found.")
        _ = desk.gateway.hear()
        desk.endOpenOrders()
        #expect(desk.gateway.hear().missingOrders == [5])
    }

    /// Its end came between the refusal and the list: that is all there is to tell.
    @Test func anEndThatComesMeanwhileIsEnough() throws {
        var desk = try OneOrder(.limit)
        desk.status("Submitted")
        desk.cancel()
        desk.gateway.complain(5, 161, "Cancel attempted when order is not in a cancellable state.")
        desk.execution("e.01", shares: 100, sum: 100)
        desk.status("Filled", filled: 100)
        desk.endOpenOrders()
        let heard = desk.gateway.hear()
        #expect(heard.orders(5).last?.status == .filled && heard.refusedCancels.isEmpty && heard.missingOrders.isEmpty)
    }

    /// The exchange refused the cancel: the order goes back from PendingCancel to Submitted without a code.
    @Test func anOrderThatGoesBackToWorkIsToldOnceItIsListed() throws {
        var desk = try OneOrder(.limit)
        desk.status("Submitted")
        desk.cancel()
        desk.status("PendingCancel")
        _ = desk.gateway.hear()
        desk.status("Submitted")
        #expect(desk.gateway.hear().refusedCancels.isEmpty, "statuses come in any order")
        desk.open("Submitted")
        desk.endOpenOrders()
        #expect(desk.gateway.hear().refusedCancels.count == 1)
    }

    /// Nothing at all came: looked up, and given back when it is listed as working.
    @Test(arguments: [0, 10]) func aCancelThatWasLostGivesTheOrderBack(filledMeanwhile: Int) throws {
        var desk = try OneOrder(.limit)
        desk.status("Submitted")
        desk.cancel()
        if filledMeanwhile > 0 { desk.execution("e.01", shares: filledMeanwhile, sum: filledMeanwhile) }
        desk.gateway.pass(.milliseconds(5_200))
        #expect(desk.gateway.sent("5").count == 1)
        desk.open("Submitted")
        desk.endOpenOrders()
        #expect(desk.gateway.hear().refusedCancels.count == 1)
        desk.gateway.pass(.seconds(7))
        #expect(desk.gateway.sent("5").isEmpty, "once")
    }
}

// The account's four figures that margin trading hangs on, with their age.
import { money } from "../numbers/format";
import { ACCOUNT_STALE_MS, mainAccount } from "../state/select";
import { useStore } from "../state/store";
import { Age, Fact, Panel, useStalled } from "../ui/parts";

export function AccountCard(): JSX.Element | null {
  const account = useStore((state) => mainAccount(state.data));
  const stalled = useStalled();
  if (account === undefined) return <Panel title="Account"><p className="empty">The broker has not reported an account yet.</p></Panel>;
  const { currency } = account;
  return (
    <Panel title="Account" aside={<span data-stale={stalled}><Age asOf={account.asOf} staleMs={ACCOUNT_STALE_MS} /></span>}>
      <dl className="facts" data-stale={stalled}>
        <Fact name="Number">{account.id}</Fact>
        <Fact name="Net liquidation">{money(account.netLiquidation, currency)}</Fact>
        <Fact name="Available funds">{money(account.availableFunds, currency)}</Fact>
        <Fact name="Initial margin">{money(account.initialMargin, currency)}</Fact>
        <Fact name="Maintenance margin">{money(account.maintenanceMargin, currency)}</Fact>
      </dl>
    </Panel>
  );
}

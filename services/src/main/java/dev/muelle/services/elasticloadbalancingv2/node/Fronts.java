package dev.muelle.services.elasticloadbalancingv2.node;

import dev.muelle.services.StoredJson;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Table;
import dev.muelle.store.Tx;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TooManyLoadBalancersException;

/**
 * Who has which loopback address of this machine. All accounts and regions of a server share them,
 * so this is kept above the scopes, under the address.
 */
public final class Fronts {

  private static final Table<Holder> HOLDERS =
      Table.of("elbv2.fronts", StoredJson.codec(Holder.class)).index("balancer", Holder::balancer);
  private static final int LAST = 65_535;

  private final Store machine;

  public Fronts(Store store) {
    machine = store.in("");
  }

  record Holder(String balancer) {}

  /** An address that no other load balancer has; the same one when asked again. */
  public String take(String balancer) {
    return machine.write(tx -> {
      Optional<String> present = held(tx, balancer);
      if (present.isPresent()) {
        return present.get();
      }
      Set<String> taken = tx.list(HOLDERS).stream().map(Row::key).collect(Collectors.toSet());
      for (int i = 1; i < LAST; i++) {
        String address = "127.64." + (i >> 8) + "." + (i & 255);
        if ((i & 255) != 0 && (i & 255) != 255 && !taken.contains(address)) {
          tx.insert(HOLDERS, address, new Holder(balancer));
          return address;
        }
      }
      throw TooManyLoadBalancersException.builder()
          .message("No loopback address is left for another load balancer")
          .build();
    });
  }

  public void release(String balancer) {
    machine.write(tx -> {
      held(tx, balancer).ifPresent(address -> tx.delete(HOLDERS, address));
      return true;
    });
  }

  /** Gives back what load balancers hold whose ARN begins so and that are not there any more. */
  public void retain(String arns, Predicate<String> there) {
    machine.write(tx -> {
      List<Row<Holder>> all = tx.list(HOLDERS);
      for (Row<Holder> row : all) {
        String balancer = row.value().balancer();
        if (balancer.startsWith(arns) && !there.test(balancer)) {
          tx.delete(HOLDERS, row.key());
        }
      }
      return true;
    });
  }

  private static Optional<String> held(Tx tx, String balancer) {
    return tx.find(HOLDERS, "balancer", balancer).stream().map(Row::key).findFirst();
  }
}

package dev.muelle.region;

import dev.muelle.network.Network;
import dev.muelle.services.Scope;
import dev.muelle.services.StoredJson;
import dev.muelle.store.Row;
import dev.muelle.store.Table;
import dev.muelle.wire.Caller;
import dev.muelle.wire.http.WebSocket;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** All regions of one server; each is made on first use, and again when the server comes back. */
final class Regions implements AutoCloseable {

  private static final Table<Scope> KNOWN =
      Table.of("region.scopes", StoredJson.codec(Scope.class));

  private final Region.Shared shared;
  private final Map<Scope, Region> regions = new ConcurrentHashMap<>();

  Regions(Region.Shared shared) {
    this.shared = shared;
  }

  /** Brings back every region that was ever used, then drops what no region knows. */
  void start() {
    for (Row<Scope> row : shared.store().read(tx -> tx.list(KNOWN))) {
      of(row.value());
    }
    Set<String> vpcs = new HashSet<>();
    Set<String> interfaces = new HashSet<>();
    for (Region region : regions.values()) {
      vpcs.addAll(region.ec2.vpcIds());
      interfaces.addAll(region.ec2.interfaceIds());
    }
    Network network = shared.network();
    network.retain(vpcs, interfaces);
  }

  /** The other end of a command that somebody runs in one of the regions. */
  Optional<WebSocket> session(String path) {
    return regions.values().stream()
        .flatMap(region -> region.ecs.session(path).stream())
        .findFirst();
  }

  /** The public key of a load balancer's tokens, in PEM. */
  Optional<String> publicKey(String id) {
    return regions.values().stream()
        .flatMap(region -> region.elb.publicKey(id).stream())
        .findFirst();
  }

  /** A region that is in use already. */
  Optional<Region> known(Scope scope) {
    return Optional.ofNullable(regions.get(scope));
  }

  Region of(Caller caller) {
    return of(new Scope(caller.account(), caller.region()));
  }

  Region of(Scope scope) {
    return regions.computeIfAbsent(scope, this::make);
  }

  private Region make(Scope scope) {
    shared.store().write(tx -> tx.put(KNOWN, scope.storeScope(), scope));
    Region region = new Region(scope, shared);
    region.start();
    return region;
  }

  @Override
  public void close() {
    regions.values().forEach(Region::close);
  }
}

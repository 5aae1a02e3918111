package dev.muelle.services.ec2.endpoint;

import dev.muelle.services.Api;
import dev.muelle.services.RegionalApis;
import dev.muelle.services.Scope;
import dev.muelle.services.VpcHttp;
import dev.muelle.services.ec2.eni.NetworkInterfaces;
import dev.muelle.services.ec2.plane.DataPlane;
import dev.muelle.services.ec2.state.ClientToken;
import dev.muelle.services.ec2.state.EndpointRecord;
import dev.muelle.services.ec2.state.Tables;
import dev.muelle.services.ec2.state.Tags;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;

/**
 * Brings endpoints to what is stored of them: each of their interfaces is plugged and answers for
 * the endpoint's API, and those that are its no more go, with their addresses.
 */
public final class EndpointServers implements AutoCloseable {

  private final Scope scope;
  private final Store store;
  private final DataPlane plane;
  private final NetworkInterfaces interfaces;
  private final EndpointServices services;
  private final RegionalApis apis;

  /** By interface. */
  private final Map<String, VpcHttp.Server> servers = new ConcurrentHashMap<>();

  public EndpointServers(
      Scope scope,
      Store store,
      DataPlane plane,
      NetworkInterfaces interfaces,
      EndpointServices services,
      RegionalApis apis) {
    this.scope = scope;
    this.store = store;
    this.plane = plane;
    this.interfaces = interfaces;
    this.services = services;
    this.apis = apis;
  }

  /** Every endpoint, to be looked at after a start. */
  public List<String> ids() {
    return store.read(tx -> tx.list(Tables.ENDPOINTS)).stream().map(Row::key).toList();
  }

  /** One look; it is looked at again when something changes. */
  public @Nullable Duration look(String id) {
    Optional<EndpointRecord> found = store.read(tx -> tx.get(Tables.ENDPOINTS, id)).map(Row::value);
    if (found.isEmpty()) {
      return null;
    }
    EndpointRecord record = found.get();
    Set<String> wanted =
        record.in(EndpointRecord.DELETING)
            ? Set.of()
            : Set.copyOf(record.endpoint().networkInterfaceIds());
    Set<String> gone = new HashSet<>();
    store
        .read(
            tx -> Tables.of(tx, Tables.INTERFACES, "description", NetworkInterfaces.ofEndpoint(id)))
        .stream()
        .filter(eni -> !wanted.contains(eni.networkInterfaceId()) && ours(eni))
        .forEach(eni -> gone.add(eni.networkInterfaceId()));
    gone.forEach(this::takeAway);
    wanted.forEach(eni -> serve(record, eni));
    store.write(tx -> {
      gone.stream()
          .filter(eni -> tx.get(Tables.INTERFACES, eni).isPresent())
          .forEach(eni -> interfaces.forget(tx, eni));
      tx.get(Tables.ENDPOINTS, id)
          .map(Row::value)
          .ifPresent(now -> {
            if (now.in(EndpointRecord.DELETING) && record.in(EndpointRecord.DELETING)) {
              ClientToken.forget(tx, id);
              Tags.forget(tx, id);
              tx.delete(Tables.ENDPOINTS, id);
            } else if (now.in(EndpointRecord.PENDING)) {
              tx.put(Tables.ENDPOINTS, id, now.with(one -> one.state(EndpointRecord.AVAILABLE)));
            }
          });
      return true;
    });
    return null;
  }

  /** Anybody may describe an interface in these words; only ours nobody else may touch. */
  private static boolean ours(NetworkInterface eni) {
    return Boolean.TRUE.equals(eni.requesterManaged());
  }

  private void serve(EndpointRecord record, String id) {
    Optional<Api> api = services.find(record.endpoint().serviceName());
    if (api.isEmpty()) {
      return; // an API that an earlier version served
    }
    plane.alone(
        id,
        () -> {
          Optional<NetworkInterface> eni =
              store.read(tx -> tx.get(Tables.INTERFACES, id)).map(Row::value);
          if (eni.isPresent() && !servers.containsKey(id)) {
            plane.networkInterface(id);
            plane.plugServer(id);
            try {
              servers.put(
                  id,
                  apis.serve(
                      eni.get().vpcId(),
                      Objects.requireNonNull(eni.get().privateIpAddress()),
                      scope.region(),
                      api.get()));
            } catch (IOException e) {
              throw new UncheckedIOException(record.id() + " cannot be served", e);
            }
          }
          return true;
        });
  }

  private void takeAway(String id) {
    plane.alone(
        id,
        () -> {
          VpcHttp.Server server = servers.remove(id);
          if (server != null) {
            server.close();
          }
          plane.interfaceGone(id);
          return true;
        });
  }

  @Override
  public void close() {
    servers.values().forEach(VpcHttp.Server::close);
    servers.clear();
  }
}

package dev.muelle.services.ecr;

import dev.muelle.engine.ImageReference;
import dev.muelle.engine.LocalRegistry;
import dev.muelle.services.Scope;
import dev.muelle.services.ecr.Base.ImageRow;
import dev.muelle.store.Store;
import java.util.Optional;

/**
 * The engine's view of all registries of this server. Ours are {@code
 * ACCOUNT.dkr.ecr.REGION.localhost:4566/name} (whatever the server's own host and port), the same
 * with {@code amazonaws.com} instead, so that a task definition made for the cloud runs as it is,
 * and {@code localhost:4566/name} or {@code 127.0.0.1:4566/name}, which name the default account
 * and region.
 */
public final class LocalImages implements LocalRegistry {

  private final Store store;
  private final RegistryHosts hosts;
  private final Scope main;

  /**
   * Reads what {@link Ecr} keeps in the same store.
   *
   * @param registryHost as the registries of this server have it, for example {@code
   *     localhost:4566}
   * @param main whose images the names without account and region are
   */
  public LocalImages(Store store, String registryHost, Scope main) {
    this.store = store;
    this.hosts = new RegistryHosts(registryHost);
    this.main = main;
  }

  @Override
  public boolean owns(ImageReference reference) {
    return scope(reference).isPresent();
  }

  private Optional<Scope> scope(ImageReference reference) {
    return hosts
        .scope(reference.registry())
        .or(() -> hosts.isPlain(reference.registry()) ? Optional.of(main) : Optional.empty());
  }

  @Override
  public Optional<String> resolve(ImageReference reference) {
    String digest = reference.digest();
    String tag = reference.tag();
    String wanted = digest != null ? digest : tag != null ? tag : "latest";
    return scope(reference)
        .flatMap(scope ->
            store
                .in(scope.storeScope())
                .read(tx -> Images.find(tx, reference.repository(), wanted)))
        .map(ImageRow::digest);
  }
}

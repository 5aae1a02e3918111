package dev.muelle.services.acm;

import dev.muelle.loop.Loop;
import dev.muelle.loop.Timers;
import dev.muelle.services.Certificates;
import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.services.acm.State.Held;
import dev.muelle.services.acm.State.Use;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.nio.charset.StandardCharsets;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.acm.AcmClient;
import software.amazon.awssdk.services.acm.model.AddTagsToCertificateRequest;
import software.amazon.awssdk.services.acm.model.AddTagsToCertificateResponse;
import software.amazon.awssdk.services.acm.model.CertificateStatus;
import software.amazon.awssdk.services.acm.model.DeleteCertificateRequest;
import software.amazon.awssdk.services.acm.model.DeleteCertificateResponse;
import software.amazon.awssdk.services.acm.model.DescribeCertificateRequest;
import software.amazon.awssdk.services.acm.model.DescribeCertificateResponse;
import software.amazon.awssdk.services.acm.model.GetCertificateRequest;
import software.amazon.awssdk.services.acm.model.GetCertificateResponse;
import software.amazon.awssdk.services.acm.model.ImportCertificateRequest;
import software.amazon.awssdk.services.acm.model.ImportCertificateResponse;
import software.amazon.awssdk.services.acm.model.ListCertificatesRequest;
import software.amazon.awssdk.services.acm.model.ListCertificatesResponse;
import software.amazon.awssdk.services.acm.model.ListTagsForCertificateRequest;
import software.amazon.awssdk.services.acm.model.ListTagsForCertificateResponse;
import software.amazon.awssdk.services.acm.model.RemoveTagsFromCertificateRequest;
import software.amazon.awssdk.services.acm.model.RemoveTagsFromCertificateResponse;
import software.amazon.awssdk.services.acm.model.RequestCertificateRequest;
import software.amazon.awssdk.services.acm.model.RequestCertificateResponse;

/** AWS Certificate Manager of one account in one region. */
public final class Acm implements AcmClient, Certificates {

  private static final int AT_ONCE = 2;

  private final Store store;
  private final Imports imports;
  private final Authority authority;
  private final Requests requests;
  private final Inventory inventory;
  private final Tags tags;
  private final Loop<String> renewals;

  public Acm(
      Scope scope,
      Store store,
      Timers timers,
      Ids ids,
      RandomGenerator random,
      Authority authority) {
    this.store = store;
    imports = new Imports(scope, store, timers, ids);
    this.authority = authority;
    requests = new Requests(scope, store, timers, ids, authority);
    inventory = new Inventory(store, timers);
    tags = new Tags(store);
    renewals = new Loop<>("acm-renewal", timers, random, AT_ONCE, this::renew);
  }

  /** Renews from now on what becomes due, also what did while no server ran. */
  public void start() {
    store.read(tx -> tx.list(State.CERTIFICATES)).forEach(row -> renewals.wake(row.key()));
  }

  private @Nullable Duration renew(String arn) {
    return requests.renew(arn);
  }

  @Override
  public String serviceName() {
    return SERVICE_NAME;
  }

  @Override
  public void close() {
    renewals.close();
  }

  @Override
  public ImportCertificateResponse importCertificate(ImportCertificateRequest request) {
    return imports.make(request);
  }

  @Override
  public RequestCertificateResponse requestCertificate(RequestCertificateRequest request) {
    RequestCertificateResponse made = requests.make(request);
    renewals.wake(made.certificateArn());
    return made;
  }

  @Override
  public DescribeCertificateResponse describeCertificate(DescribeCertificateRequest request) {
    return inventory.describe(request);
  }

  @Override
  public X509Certificate authority() {
    return authority.certificate();
  }

  @Override
  public ListCertificatesResponse listCertificates(ListCertificatesRequest request) {
    return inventory.list(request);
  }

  @Override
  public GetCertificateResponse getCertificate(GetCertificateRequest request) {
    return inventory.get(request);
  }

  @Override
  public DeleteCertificateResponse deleteCertificate(DeleteCertificateRequest request) {
    return inventory.delete(request);
  }

  @Override
  public AddTagsToCertificateResponse addTagsToCertificate(AddTagsToCertificateRequest request) {
    return tags.add(request);
  }

  @Override
  public RemoveTagsFromCertificateResponse removeTagsFromCertificate(
      RemoveTagsFromCertificateRequest request) {
    return tags.remove(request);
  }

  @Override
  public ListTagsForCertificateResponse listTagsForCertificate(
      ListTagsForCertificateRequest request) {
    return tags.list(request);
  }

  @Override
  public Found find(Tx tx, String arn) {
    return tx.get(State.CERTIFICATES, arn)
        .map(row ->
            inventory.status(row.value().detail()) == CertificateStatus.ISSUED
                ? Found.ISSUED
                : Found.UNUSABLE)
        .orElse(Found.MISSING);
  }

  @Override
  public Optional<Identity> identity(Tx tx, String arn) {
    Optional<Held> held = tx.get(State.CERTIFICATES, arn).map(Row::value);
    Optional<State.Key> key = tx.get(State.KEYS, arn).map(Row::value);
    return held.flatMap(there -> key.map(k -> new Identity(Keys.load(k), chain(there))));
  }

  private static List<X509Certificate> chain(Held held) {
    try {
      List<X509Certificate> chain =
          new ArrayList<>(Pem.certificates(held.pem().getBytes(StandardCharsets.US_ASCII)));
      if (held.chain() != null) {
        chain.addAll(Pem.certificates(held.chain().getBytes(StandardCharsets.US_ASCII)));
      }
      return chain;
    } catch (Pem.Unreadable e) {
      throw new IllegalStateException("a stored certificate cannot be read back", e);
    }
  }

  @Override
  public void uses(Tx tx, String resourceArn, Set<String> certificateArns) {
    for (Row<Use> row : tx.find(State.USES, "resource", resourceArn)) {
      if (!certificateArns.contains(row.value().certificate())) {
        tx.delete(State.USES, row.key());
      }
    }
    for (String arn : certificateArns) {
      String key = resourceArn + "|" + arn;
      if (tx.get(State.USES, key).isEmpty()) {
        tx.insert(State.USES, key, new Use(arn, resourceArn));
      }
    }
  }
}

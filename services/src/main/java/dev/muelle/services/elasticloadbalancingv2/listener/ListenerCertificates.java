package dev.muelle.services.elasticloadbalancingv2.listener;

import dev.muelle.services.Certificates;
import dev.muelle.services.elasticloadbalancingv2.request.Pages;
import dev.muelle.services.elasticloadbalancingv2.request.Refuse;
import dev.muelle.services.elasticloadbalancingv2.state.Existing;
import dev.muelle.services.elasticloadbalancingv2.state.State;
import dev.muelle.services.elasticloadbalancingv2.state.State.Listening;
import dev.muelle.services.elasticloadbalancingv2.state.Wakes;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.AddListenerCertificatesRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.AddListenerCertificatesResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Certificate;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.CertificateNotFoundException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeListenerCertificatesRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeListenerCertificatesResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.OperationNotPermittedException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.RemoveListenerCertificatesRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.RemoveListenerCertificatesResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TooManyCertificatesException;

/**
 * The certificates of HTTPS listeners: the default one is the listener's, the others are kept
 * beside it.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/https-listener-certificates.html">SSL
 *     certificates for your Application Load Balancer</a>
 */
public final class ListenerCertificates {

  /** Of one load balancer, not counting the default ones. */
  public static final int MAX = 25;

  private final Store store;
  private final Certificates certificates;
  private final Wakes wakes;

  public ListenerCertificates(Store store, Certificates certificates, Wakes wakes) {
    this.store = store;
    this.certificates = certificates;
    this.wakes = wakes;
  }

  public AddListenerCertificatesResponse add(AddListenerCertificatesRequest request) {
    List<String> added = arns(request.certificates());
    change(
        request.listenerArn(),
        (tx, old) -> {
          if (old.listener().certificates().isEmpty()) {
            throw Refuse.invalid("Certificates can only be added to HTTPS listeners");
          }
          added.forEach(arn -> check(tx, arn));
          Set<String> all = new LinkedHashSet<>(old.certificates());
          all.addAll(added);
          return old.with(List.copyOf(all));
        });
    return AddListenerCertificatesResponse.builder()
        .certificates(
            added.stream()
                .map(arn -> Certificate.builder().certificateArn(arn).isDefault(false).build())
                .toList())
        .build();
  }

  public RemoveListenerCertificatesResponse remove(RemoveListenerCertificatesRequest request) {
    List<String> removed = arns(request.certificates());
    change(
        request.listenerArn(),
        (tx, old) -> {
          for (Certificate standard : old.listener().certificates()) {
            if (removed.contains(standard.certificateArn())
                && !old.certificates().contains(standard.certificateArn())) {
              throw OperationNotPermittedException.builder()
                  .message(
                      "Default certificate '"
                          + standard.certificateArn()
                          + "' cannot be removed; modify its listener instead")
                  .build();
            }
          }
          return old.with(
              old.certificates().stream().filter(arn -> !removed.contains(arn)).toList());
        });
    return RemoveListenerCertificatesResponse.builder().build();
  }

  /** What becomes of a listener, within a transaction. */
  private interface Step {
    Listening apply(Tx tx, Listening old);
  }

  private void change(String listenerArn, Step step) {
    String balancer =
        store.write(tx -> {
          Listening next = step.apply(tx, Existing.listener(tx, listenerArn));
          tx.put(State.LISTENERS, listenerArn, next);
          String arn = next.listener().loadBalancerArn();
          settle(tx, arn);
          return arn;
        });
    wakes.now(List.of(balancer));
  }

  public DescribeListenerCertificatesResponse describe(
      DescribeListenerCertificatesRequest request) {
    Listening listening = store.read(tx -> Existing.listener(tx, request.listenerArn()));
    List<Certificate> all = new ArrayList<>();
    listening
        .listener()
        .certificates()
        .forEach(one -> all.add(one.toBuilder().isDefault(true).build()));
    new TreeSet<>(listening.certificates())
        .forEach(
            arn -> all.add(Certificate.builder().certificateArn(arn).isDefault(false).build()));
    // The default one comes first: '0' is before '1'.
    Pages<Certificate> page =
        Pages.of(
            all,
            one -> (Boolean.TRUE.equals(one.isDefault()) ? "0" : "1") + one.certificateArn(),
            request.marker(),
            request.pageSize());
    return DescribeListenerCertificatesResponse.builder()
        .certificates(page.items())
        .nextMarker(page.next())
        .build();
  }

  /** The default certificate that a request brings for a listener. */
  String standard(Tx tx, List<Certificate> given) {
    if (given.size() > 1) {
      throw Refuse.invalid(
          "Exactly one default certificate can be specified; more are added with"
              + " AddListenerCertificates");
    }
    String arn = arns(given).getFirst();
    check(tx, arn);
    return arn;
  }

  private static List<String> arns(List<Certificate> given) {
    if (given.isEmpty()) {
      throw Refuse.invalid("A certificate must be specified");
    }
    List<String> arns = new ArrayList<>();
    for (Certificate one : given) {
      String arn =
          Refuse.unlessPresent("certificates.1.member.certificateArn", one.certificateArn());
      if (one.isDefault() != null) {
        throw Refuse.invalid("You cannot specify IsDefault for certificate '" + arn + "'");
      }
      arns.add(arn);
    }
    return arns;
  }

  private void check(Tx tx, String arn) {
    switch (certificates.find(tx, arn)) {
      case ISSUED -> {}
      case UNUSABLE ->
          throw Refuse.coded(
              "UnsupportedCertificate",
              "The certificate '"
                  + arn
                  + "' must have a fully-qualified domain name, a supported signature, and a"
                  + " supported key size.");
      case MISSING ->
          throw CertificateNotFoundException.builder()
              .message("Certificate '" + arn + "' not found")
              .build();
    }
  }

  /** Tells which certificates a load balancer uses now, and counts them. */
  public void settle(Tx tx, String balancerArn) {
    Set<String> used = new HashSet<>();
    int beside = 0;
    for (Row<Listening> row : tx.find(State.LISTENERS, "balancer", balancerArn)) {
      row.value().listener().certificates().forEach(one -> used.add(one.certificateArn()));
      used.addAll(row.value().certificates());
      beside += row.value().certificates().size();
    }
    if (beside > MAX) {
      throw TooManyCertificatesException.builder()
          .message("The maximum number of certificates for load balancer has been reached")
          .build();
    }
    certificates.uses(tx, balancerArn, used);
  }
}

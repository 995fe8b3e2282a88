(* Section 5.2: stochastic gradient descent in d dimensions, seen along one direction u.

   The projection s = <w - w_star, u> of the iterate satisfies all hypotheses of Theorem 2 (the record [sgd]) if
   - the slope <grad, u> met at every visited node lies in [b, a] where s >= 0 and in [-B, -c a] where s < 0: the
     valley floor is the same hyperplane <w - w_star, u> = 0 at all nodes;
   - the noise has a projection on u of size at most nu and of conditional mean zero.
   Nothing is asked of the other directions: the slope along u may depend on them, and on the whole past. The
   projected process is therefore not Markov, and it is this generality of [sgd] that makes the statements apply. *)
From Coq Require Import Reals Lra Lia List.
From Valleys Require Import Vectors Process Sgd Steps PerRound LongRun.
Import ListNotations.
Open Scope R_scope.

Section Projection.
Variables (d : nat) (u w_star : vec) (S : Type) (step : S -> list (R * S)) (W grad : S -> vec).
Variables (eta a b B c nu : R).

Definition proj (s : S) : R := dot d u (vsub (W s) w_star).
Definition slope (s : S) : R := dot d u (grad s).
(* eta omega = w - w' - eta grad, for the step from s to s', projected on u *)
Definition noise_along (s s' : S) : R := dot d u (vsub (vsub (W s) (W s')) (vscal eta (grad s))).

Record projected_valley : Prop := {
  pv_nonneg : forall s q s', In (q, s') (step s) -> 0 <= q;
  pv_one : forall s, wtot (step s) = 1;
  pv_bd : forall s q s', In (q, s') (step s) -> Rabs (noise_along s s') <= eta * nu;
  pv_mean : forall s, Esum (step s) (noise_along s) = 0;
  pv_flat : forall s, 0 <= proj s -> b <= slope s <= a;
  pv_sharp : forall s, proj s < 0 -> - B <= slope s <= - (c * a);
  pv_eta : 0 < eta; pv_b : 0 < b; pv_ba : b <= a; pv_nu : 0 <= nu; pv_cB : c * a <= B }.

(* (HD). The projection on u of stochastic gradient descent in d dimensions is an [sgd] process. *)
Theorem projected_sgd : projected_valley -> sgd S step proj slope eta a b B c nu.
Proof.
  intros [h1 h2 h3 h4 h5 h6 h7 h8 h9 h10 h11].
  assert (E : forall s s', noise_along s s' = proj s - proj s' - eta * slope s).
  { intros. unfold noise_along, proj, slope. rewrite !dot_sub_r, dot_scal_r. ring. }
  split; auto.
  - intros s q s' Hin. rewrite <- E. eauto.
  - intros s. specialize (h4 s).
    rewrite (Esum_ext S (step s) _ (fun s' => (-1) * proj s' + (proj s - eta * slope s))) in h4.
    + rewrite Esum_affine, h2 in h4. lra.
    + intros q s' _. rewrite E. ring.
Qed.

(* (C) along u: above the per-round threshold every prepared round of the projection averages c0 > 0 or more. *)
Theorem projected_per_round : projected_valley -> per_round_threshold (nu / a) < c ->
  0 < c0 eta a b c nu /\ forall s, round_start S step proj (fall eta a nu) s ->
    exists C, forall n, c0 eta a b c nu - C / (INR n + 1) <= EP step n s (round_mean S proj) /\
                        c0 eta a b c nu - C / (INR n + 1) <= EP step n s (printed_mean proj).
Proof. intros H Hc. apply (per_round_headline S step proj slope eta a b B c nu); auto. apply projected_sgd; auto. Qed.

(* (L) along u: above the long-run threshold the projection of the average over all iterations is positive. *)
Theorem projected_long_run : projected_valley -> long_run_threshold (nu / a) < c ->
  0 < long_run_rate eta a b c nu /\
  forall n s, - fall eta a nu <= proj s ->
    INR n * long_run_rate eta a b c nu - long_run_constant eta a b B c nu <= EP step n s (path_sum S proj).
Proof. intros H Hc. apply (long_run_threshold_suffices S step proj slope); auto. apply projected_sgd; auto. Qed.
End Projection.

(* Theorem 2, the long-run statement (L): the expected average over all iterations of stochastic gradient descent.

   With D, theta of Steps.v, beta = eta b and P(y) = max(y, 2 y - eta a): if (c-1) a >= 2 nu, then for every number n
   of iterations and every start w_0 >= -D, however the slopes and the noise depend on the past,
       E[w_0 + ... + w_(n-1)] >= rho n - C,     rho = beta min(1, (P(eta c a - theta) - theta) / (eta c a + 2 beta)),
   with a constant C that does not depend on n. The rate rho is positive if c exceeds a threshold: c > 2 if nu <= a/2,
   and in units of a: 3 nu + 1/2 for 1/2 <= nu <= 1 and 2 + 3 nu / 2 for 1 <= nu <= 2.

   The proof is by a potential V that grows on average by at least rho - w at each step from w ([drift]); V is cut off
   at a level K ([Vk]) so that the sum of the increments of the potential is bounded. *)
From Coq Require Import Reals Lra Lia List.
From Valleys Require Import Process Sgd Steps RoundLength PerRound.
Import ListNotations.
Open Scope R_scope.

(* P(y) = max(y, 2 y - a'), with a' = eta a: what the first two iterates of a round from y contribute, less a'. *)
Definition Pf (a' y : R) : R := Rmax y (2 * y - a').

(* The rate and the constant, as functions of a' = eta a, beta, cc = eta c a and theta, and in the paper's setting. *)
Definition rate_f (a' bb cc th : R) : R := bb * Rmin 1 ((Pf a' (cc - th) - th) / (cc + 2 * bb)).
Definition long_run_rate (eta a b c nu : R) : R :=
  rate_f (eta * a) (eta * b) (eta * (c * a)) (overshoot eta a nu).
Definition long_run_constant (eta a b B c nu : R) : R :=
  fall eta a nu + long_run_rate eta a b c nu + (2 * (eta * (B + nu)) + 8 * fall eta a nu).

Section Long.
Context {S : Type} {step : S -> list (R * S)} {pos g : S -> R} {eta a b B c nu : R}.
Context (H : sgd S step pos g eta a b B c nu).
Context (one_sharp : 2 * nu <= (c - 1) * a).
Let H0 := sgd_is_any_mean H.
Let step_nonneg := sg_nonneg H.
Let step_one := sg_one H.
Let D := fall eta a nu.
Let theta := overshoot eta a nu.
Let a' := eta * a.
Let b' := eta * b.
Let cc := eta * (c * a).
Let v' := eta * nu.
Let P := Pf a'.

Lemma P_1 y : y <= P y. Proof. apply Rmax_l. Qed.
Lemma P_2 y : 2 * y - a' <= P y. Proof. apply Rmax_r. Qed.
Lemma P_cases y : (P y = y /\ y <= a') \/ (P y = 2 * y - a' /\ a' <= y).
Proof. unfold P, Pf, Rmax. destruct (Rle_dec y (2 * y - a')); lra. Qed.
Lemma P_mono x y : x <= y -> P x <= P y.
Proof.
  intros. destruct (P_cases x) as [[E1 E2]|[E1 E2]]; rewrite E1; pose proof (P_1 y); pose proof (P_2 y); lra.
Qed.

Lemma bounds : 0 < a' /\ 0 < b' <= a' /\ 0 <= v' /\ D = a' + v' /\ D + v' <= cc /\ 0 < cc <= eta * B /\
  a' <= theta /\ (2 * v' <= theta \/ D <= theta).
Proof.
  pose proof (eta_a_pos H0). pose proof (eta_b_pos H0). pose proof (eta_b_le H0). pose proof (eta_nu_nonneg H0).
  pose proof (fall_eq (eta := eta) (a := a) (nu := nu)) as E. pose proof (overshoot_a H0).
  pose proof (overshoot_nu H0). pose proof (w_min_eq (eta := eta) (a := a) (nu := nu) (c := c)) as W.
  pose proof (w_min_nonneg H0 one_sharp).
  assert (eta * (c * a) <= eta * B) by (apply Rmult_le_compat_l; [pose proof (sg_eta H); lra|exact (sg_cB H)]).
  unfold a', b', v', cc, theta, D in *. repeat split; lra.
Qed.

(* Any rho with 0 <= rho <= beta and rho (eta c a + 2 beta) <= (P(eta c a - theta) - theta) beta will do. *)
Variable rho : R.
Let lam := rho / b'.
Hypothesis rho0 : 0 <= rho.
Hypothesis rho1 : rho <= b'.
Hypothesis rho2 : rho * (cc + 2 * b') <= (P (cc - theta) - theta) * b'.

Lemma lam_b : lam * b' = rho. Proof. unfold lam. field. pose proof bounds; lra. Qed.
Lemma lam_0 : 0 <= lam.
Proof. unfold lam. apply Rmult_le_pos; auto. left; apply Rinv_0_lt_compat. pose proof bounds; lra. Qed.
Lemma lam_1 : lam <= 1.
Proof. pose proof lam_b. pose proof bounds as Bd. destruct (Rle_or_lt lam 1); auto. nra. Qed.
Lemma slack : lam * cc + 2 * rho <= P (cc - theta) - theta.
Proof. pose proof lam_b. pose proof bounds as Bd. apply (Rmult_le_reg_r b'); [lra|]. nra. Qed.

(* ---------------- the potential ---------------- *)
Definition V (x : R) : R :=
  if Rlt_dec x 0 then x - rho + P (x + cc) - lam * (x + cc) else P x - lam * x.

Lemma V_sharp x : x < 0 -> V x = x - rho + P (x + cc) - lam * (x + cc).
Proof. intros. unfold V. destruct (Rlt_dec x 0); lra. Qed.
Lemma V_flat x : 0 <= x -> V x = P x - lam * x.
Proof. intros. unfold V. destruct (Rlt_dec x 0); lra. Qed.

(* The children of s, whose mean is mu, have V >= A w' + C: so E[V] >= A mu + C. *)
Lemma drift_by s A C v : (forall q s', In (q, s') (step s) -> A * pos s' + C <= V (pos s')) ->
  v <= A * (pos s - eta * g s) + C -> v <= Esum (step s) (fun s' => V (pos s')).
Proof.
  intros Hle Hv. apply Rle_trans with (Esum (step s) (fun s' => A * pos s' + C)); [|apply step_le; auto].
  rewrite Esum_affine, (sg_mean H), step_one. lra.
Qed.

Lemma drift s : - D <= pos s -> V (pos s) - pos s + rho <= Esum (step s) (fun s' => V (pos s')).
Proof.
  intros HD. destruct bounds as (Ha & [Hb Hba] & Hv & ED & Hcc & [Hc HcB] & Hta & Htv).
  pose proof lam_0 as L0. pose proof lam_1 as L1. pose proof lam_b as Lb. pose proof slack as Hsl.
  destruct (Rlt_or_le (pos s) 0) as [Hneg|Hpos].
  - (* a sharp node: all children are flat *)
    rewrite (V_sharp (pos s)) by auto. pose proof (sharp_mean H0 s Hneg) as Hm. fold cc in Hm.
    assert (E : forall q s', In (q, s') (step s) -> V (pos s') = P (pos s') - lam * pos s').
    { intros q s' Hin. pose proof (sharp_child H0 _ _ _ HD Hneg Hin). pose proof (w_min_nonneg H0 one_sharp).
      apply V_flat; lra. }
    destruct (P_cases (pos s + cc)) as [[-> E2]|[-> E2]].
    + apply (drift_by s (1 - lam) 0); [|nra].
      intros q s' Hin. rewrite (E q s' Hin). pose proof (P_1 (pos s')). lra.
    + apply (drift_by s (2 - lam) (- a')); [|nra].
      intros q s' Hin. rewrite (E q s' Hin). pose proof (P_2 (pos s')). lra.
  - (* a flat node *)
    rewrite (V_flat (pos s)) by auto. pose proof (flat_mean H0 s Hpos) as Hm. fold a' b' in Hm.
    set (mu := pos s - eta * g s) in *.
    destruct (Rle_or_lt a' (pos s)) as [Hbig|Hsmall].
    + (* high: V(w') >= (1 - lam) w' for all children *)
      assert (E1 : P (pos s) = 2 * pos s - a') by (destruct (P_cases (pos s)) as [[? ?]|[? ?]]; lra).
      rewrite E1. apply (drift_by s (1 - lam) 0); fold mu; [|nra].
      intros q s' Hin. destruct (Rlt_or_le (pos s') 0) as [C|C].
      * rewrite V_sharp by auto. pose proof (child_bd H0 _ _ _ Hin) as Hcb. fold mu v' in Hcb.
        assert (- theta <= pos s') by (destruct Htv; lra).
        pose proof (P_mono (cc - theta) (pos s' + cc) ltac:(lra)). lra.
      * rewrite V_flat by auto. pose proof (P_1 (pos s')). lra.
    + (* low *)
      assert (E1 : P (pos s) = pos s) by (destruct (P_cases (pos s)) as [[? ?]|[? ?]]; lra).
      rewrite E1. destruct (straddle H s Hpos) as [A|A].
      * (* all children are sharp: use the convexity of V there *)
        assert (Hmt : - theta <= mu) by lra.
        pose proof (P_mono (cc - theta) (mu + cc) ltac:(lra)) as PM.
        assert (E : forall q s', In (q, s') (step s) ->
                      V (pos s') = pos s' - rho + P (pos s' + cc) - lam * (pos s' + cc)).
        { intros q s' Hin. apply V_sharp. eauto. }
        destruct (P_cases (mu + cc)) as [[E3 E2]|[E3 E2]]; rewrite E3 in PM.
        -- apply (drift_by s (2 - lam) (cc - rho - lam * cc)); fold mu; [|nra].
           intros q s' Hin. rewrite (E q s' Hin). pose proof (P_1 (pos s' + cc)). lra.
        -- apply (drift_by s (3 - lam) (2 * cc - a' - rho - lam * cc)); fold mu; [|nra].
           intros q s' Hin. rewrite (E q s' Hin). pose proof (P_2 (pos s' + cc)). lra.
      * apply (drift_by s (- lam) 0); fold mu; [|nra].
        intros q s' Hin. specialize (A q s' Hin). fold theta in A. destruct (Rlt_or_le (pos s') 0) as [C|C].
        -- rewrite V_sharp by auto. pose proof (P_mono (cc - theta) (pos s' + cc) ltac:(lra)). lra.
        -- rewrite V_flat by auto. pose proof (P_1 (pos s')). lra.
Qed.

(* ---------------- the potential, cut off ---------------- *)
Let K := 2 * (eta * (B + nu)) + 8 * D.
Definition Vk (x : R) : R := Rmin (V x) K.

Lemma Bnu_nonneg : 0 <= eta * (B + nu).
Proof. destruct bounds as (Ha & Hb & Hv & ED & Hcc & Hc & _). unfold v' in *. rewrite Rmult_plus_distr_l. lra. Qed.

Lemma Vk_lower x : - D <= x -> - D - rho <= Vk x.
Proof.
  intros Hx. destruct bounds as (Ha & [Hb Hba] & Hv & ED & Hcc & [Hc HcB] & Hta & Htv).
  pose proof lam_0. pose proof lam_1. pose proof Bnu_nonneg.
  apply Rmin_glb; [|unfold K; lra].
  unfold V. destruct (Rlt_dec x 0); [pose proof (P_1 (x + cc))|pose proof (P_1 x)]; nra.
Qed.

Lemma drift_k s : - D <= pos s -> Vk (pos s) - pos s + rho <= Esum (step s) (fun s' => Vk (pos s')).
Proof.
  intros HD. pose proof (drift s HD) as Hd.
  destruct bounds as (Ha & [Hb Hba] & Hv & ED & Hcc & [Hc HcB] & Hta & Htv).
  pose proof lam_0 as L0. pose proof lam_1 as L1.
  assert (Hpl : forall x, 0 <= x -> V x <= 2 * x).
  { intros x Hx. rewrite V_flat by auto. destruct (P_cases x) as [[-> ?]|[-> ?]]; nra. }
  assert (Hmi : forall x, - D <= x -> x < 0 -> V x <= 2 * cc).
  { intros x Hx Hx0. rewrite V_sharp by auto. destruct (P_cases (x + cc)) as [[-> ?]|[-> ?]]; nra. }
  pose proof Bnu_nonneg as HBn.
  assert (EBn : eta * (B + nu) = eta * B + v') by (unfold v'; ring).
  destruct (Rlt_or_le (pos s) 0) as [Hn|Hp].
  - apply Rle_trans with (V (pos s) - pos s + rho); [unfold Vk; pose proof (Rmin_l (V (pos s)) K); lra|].
    eapply Rle_trans; [apply Hd|]. apply step_le; auto. intros q s' Hin.
    pose proof (sharp_child H0 _ _ _ HD Hn Hin). pose proof (w_min_nonneg H0 one_sharp).
    pose proof (child_bd H0 _ _ _ Hin) as Hcb. fold v' in Hcb. pose proof (sharp_mean H0 _ Hn).
    unfold Vk. rewrite Rmin_left; [lra|]. specialize (Hpl (pos s') ltac:(lra)). unfold K. lra.
  - destruct (Rle_or_lt (2 * (pos s + v')) K) as [Hlow|Hhigh].
    + apply Rle_trans with (V (pos s) - pos s + rho); [unfold Vk; pose proof (Rmin_l (V (pos s)) K); lra|].
      eapply Rle_trans; [apply Hd|]. apply step_le; auto. intros q s' Hin.
      pose proof (flat_child H0 _ _ _ Hp Hin) as Hf. fold D in Hf.
      pose proof (child_bd H0 _ _ _ Hin) as Hcb. fold v' in Hcb. pose proof (flat_mean H0 _ Hp) as Hm. fold b' in Hm.
      unfold Vk. rewrite Rmin_left; [lra|]. destruct (Rlt_or_le (pos s') 0) as [C|C].
      * specialize (Hmi (pos s') ltac:(lra) C). unfold K in *. lra.
      * specialize (Hpl (pos s') C). lra.
    + assert (Hbig : 2 * D + rho <= pos s) by (unfold K in Hhigh; lra).
      apply Rle_trans with (Esum (step s) (fun _ => Vk (pos s) - pos s + rho)); [rewrite Esum_const, step_one; lra|].
      apply step_le; auto. intros q s' Hin. pose proof (flat_child H0 _ _ _ Hp Hin) as Hf. fold D in Hf.
      assert (ES : V (pos s) = 2 * pos s - a' - lam * pos s).
      { rewrite V_flat by auto. destruct (P_cases (pos s)) as [[? ?]|[? ?]]; lra. }
      assert (EC : 2 * pos s' - a' - lam * pos s' <= V (pos s')).
      { rewrite V_flat by lra. pose proof (P_2 (pos s')). lra. }
      unfold Vk. apply Rmin_glb.
      * pose proof (Rmin_l (V (pos s)) K). nra.
      * pose proof (Rmin_r (V (pos s)) K). lra.
Qed.

(* ---------------- summing up ---------------- *)
Fixpoint last_pos (l : list S) : R := match l with
  | [] => 0 | s :: r => match r with [] => pos s | _ => last_pos r end end.

Lemma potential_sum n : forall s, - D <= pos s ->
  Vk (pos s) + INR n * rho <= EP step n s (fun l => path_sum S pos l + Vk (last_pos l)).
Proof.
  induction n as [|n IH]; intros s Hs.
  - simpl. lra.
  - rewrite S_INR. simpl EP.
    apply Rle_trans with (Esum (step s) (fun s' => Vk (pos s') + (INR n * rho + pos s))).
    + rewrite Esum_plus, Esum_const, step_one. pose proof (drift_k s Hs). lra.
    + apply step_le; auto. intros q s' Hin.
      assert (Hs' : - D <= pos s') by (apply (above_closed H0 one_sharp s q s'); auto).
      specialize (IH s' Hs').
      apply Rle_trans with (EP step n s' (fun l => (path_sum S pos l + Vk (last_pos l)) + pos s)).
      * rewrite (EP_plus S step n s' (fun l => path_sum S pos l + Vk (last_pos l)) (fun _ => pos s)).
        rewrite EP_const by auto. lra.
      * apply EP_le; auto. intros l Hl. simpl. destruct l; simpl; lra.
Qed.

(* (L) with any admissible rate rho: E[w_0 + ... + w_(n-1)] >= rho n - C for every n and every start w_0 >= -D. *)
Theorem long_run_any_rate n s : - D <= pos s -> INR n * rho - (D + rho + K) <= EP step n s (path_sum S pos).
Proof.
  intros Hs. pose proof (potential_sum n s Hs) as Hp. pose proof (Vk_lower (pos s) Hs).
  assert (L : EP step n s (fun l => path_sum S pos l + Vk (last_pos l)) <=
              EP step n s (fun l => path_sum S pos l + K)).
  { apply EP_le; auto. intros l Hl. pose proof (Rmin_r (V (last_pos (s :: l))) K). unfold Vk. lra. }
  rewrite (EP_plus S step n s (path_sum S pos) (fun _ => K)), EP_const in L by auto. lra.
Qed.
End Long.

Section LongRun.
Context {S : Type} {step : S -> list (R * S)} {pos g : S -> R} {eta a b B c nu : R}.
Context (H : sgd S step pos g eta a b B c nu).
Let H0 := sgd_is_any_mean H.
Let rho := long_run_rate eta a b c nu.
Let C := long_run_constant eta a b B c nu.
Let surplus := Pf (eta * a) (eta * (c * a) - overshoot eta a nu) - overshoot eta a nu.

(* (L). If (c-1) a >= 2 nu and P(eta c a - theta) >= theta, then for all n and every start w_0 >= -D the expected sum
   of the first n iterates is at least rho n - C. *)
Theorem long_run : 2 * nu <= (c - 1) * a -> 0 <= surplus ->
  0 <= rho /\ forall n s, - fall eta a nu <= pos s -> INR n * rho - C <= EP step n s (path_sum S pos).
Proof.
  intros Hc Hs. destruct (bounds H Hc) as (Ha & [Hb Hba] & Hv & ED & Hcc & [Hcp HcB] & Hta & Htv).
  unfold rho, C, long_run_constant, long_run_rate, rate_f. fold surplus.
  set (q := surplus / (eta * (c * a) + 2 * (eta * b))).
  assert (Hq : 0 <= q).
  { unfold q. apply Rmult_le_pos; auto. left; apply Rinv_0_lt_compat. lra. }
  assert (Hm : 0 <= Rmin 1 q) by (apply Rmin_glb; lra).
  split; [apply Rmult_le_pos; lra|].
  intros n s Hst. apply (long_run_any_rate H Hc); auto.
  - apply Rmult_le_pos; lra.
  - rewrite <- (Rmult_1_r (eta * b)) at 2. apply Rmult_le_compat_l; [lra|apply Rmin_l].
  - fold surplus.
    replace (eta * b * Rmin 1 q * (eta * (c * a) + 2 * (eta * b)))
      with (Rmin 1 q * (eta * (c * a) + 2 * (eta * b)) * (eta * b)) by ring.
    apply Rmult_le_compat_r; [lra|].
    apply Rle_trans with (q * (eta * (c * a) + 2 * (eta * b))); [|right; unfold q; field; lra].
    apply Rmult_le_compat_r; [lra|apply Rmin_r].
Qed.

(* (L), positivity of the rate. *)
Lemma long_run_rate_pos : 2 * nu <= (c - 1) * a -> 0 < surplus -> 0 < rho.
Proof.
  intros Hc Hs. destruct (bounds H Hc) as (Ha & [Hb Hba] & Hv & ED & Hcc & [Hcp HcB] & Hta & Htv).
  unfold rho, long_run_rate, rate_f. fold surplus. apply Rmult_lt_0_compat; [lra|]. apply Rmin_glb_lt; [lra|].
  apply Rdiv_lt_0_compat; lra.
Qed.

(* (L), limit form. For every eps > 0 the expected average of the first n iterates is at least rho - eps once n is
   large: the lower limit of the expected average is at least rho. *)
Theorem long_run_average_limit : 2 * nu <= (c - 1) * a -> 0 <= surplus ->
  forall eps, 0 < eps -> exists n0, forall n, (n0 <= n)%nat -> forall s, - fall eta a nu <= pos s ->
  rho - eps <= EP step (Datatypes.S n) s (fun l => path_sum S pos l / INR (Datatypes.S n)).
Proof.
  intros Hc Hs eps He. destruct (long_run Hc Hs) as [_ L]. destruct (vanishing_term C eps He) as [n0 Hn0].
  exists n0. intros n Hn s Hst. specialize (L (Datatypes.S n) s Hst). specialize (Hn0 n Hn). rewrite S_INR in *.
  pose proof (pos_INR n) as Hn1.
  assert (Hi : 0 < / (INR n + 1)) by (apply Rinv_0_lt_compat; lra).
  rewrite (EP_eq S step (sg_nonneg H) _ s _ (fun l => / (INR n + 1) * path_sum S pos l)) by (intros; field; lra).
  rewrite EP_scal.
  apply Rle_trans with (/ (INR n + 1) * ((INR n + 1) * rho - C)); [|apply Rmult_le_compat_l; lra].
  replace (/ (INR n + 1) * ((INR n + 1) * rho - C)) with (rho - C / (INR n + 1)) by (field; lra). lra.
Qed.

(* The condition P(eta c a - theta) > theta in terms of the constants. *)
Lemma surplus_positive : 3 * Rmax a (Rmin (2 * nu) (a + nu)) + a < 2 * (c * a) -> 0 < surplus.
Proof.
  intros K. pose proof (sg_eta H) as He. unfold surplus, Pf, overshoot.
  pose proof (Rmax_r (eta * (c * a) - eta * Rmax a (Rmin (2 * nu) (a + nu)))
                (2 * (eta * (c * a) - eta * Rmax a (Rmin (2 * nu) (a + nu))) - eta * a)) as M.
  assert (eta * (3 * Rmax a (Rmin (2 * nu) (a + nu)) + a) < eta * (2 * (c * a))) by (apply Rmult_lt_compat_l; lra).
  lra.
Qed.
End LongRun.

(* The threshold of (L) for c in units of a, as a function of the noise level nu in units of a. The second term is the
   condition that a prepared round has one sharp iterate; it counts only for nu > 2. *)
Definition long_run_threshold (nu : R) : R := Rmax ((3 * Rmax 1 (Rmin (2 * nu) (1 + nu)) + 1) / 2) (1 + 2 * nu).

Lemma long_run_threshold_values nu :
  (nu <= 1/2 -> long_run_threshold nu = 2) /\
  (1/2 <= nu <= 1 -> long_run_threshold nu = 3 * nu + 1/2) /\
  (1 <= nu <= 2 -> long_run_threshold nu = 2 + 3 * nu / 2) /\
  (2 <= nu -> long_run_threshold nu = 1 + 2 * nu).
Proof.
  unfold long_run_threshold. repeat split; intros.
  - rewrite (Rmax_left 1), Rmax_left; try lra. eapply Rle_trans; [apply Rmin_l|]. lra.
  - rewrite Rmin_left, (Rmax_right 1), Rmax_left by lra. lra.
  - rewrite Rmin_right, (Rmax_right 1), Rmax_left by lra. lra.
  - rewrite Rmin_right, (Rmax_right 1), Rmax_right by lra. lra.
Qed.

(* (L), general threshold. If c exceeds the threshold, the rate rho is positive, and the expected sum of the first n
   iterates is at least rho n - C for all n and every start w_0 >= -D. *)
Theorem long_run_threshold_suffices S step pos g eta a b B c nu :
  sgd S step pos g eta a b B c nu -> long_run_threshold (nu / a) < c ->
  0 < long_run_rate eta a b c nu /\
  forall n s, - fall eta a nu <= pos s ->
    INR n * long_run_rate eta a b c nu - long_run_constant eta a b B c nu <= EP step n s (path_sum S pos).
Proof.
  intros H Hc. pose proof (a_pos (sgd_is_any_mean H)) as Ha. pose proof (sg_nu H) as Hn.
  unfold long_run_threshold in Hc.
  pose proof (Rle_lt_trans _ _ _ (Rmax_l _ _) Hc) as C1. pose proof (Rle_lt_trans _ _ _ (Rmax_r _ _) Hc) as C2.
  assert (E : nu = a * (nu / a)) by (field; lra).
  assert (Hc1 : 2 * nu <= (c - 1) * a) by (rewrite E; nra).
  assert (Hs : 3 * Rmax a (Rmin (2 * nu) (a + nu)) + a < 2 * (c * a)) by (rewrite overshoot_scaled by auto; nra).
  pose proof (surplus_positive H Hs) as Hs1.
  split; [apply (long_run_rate_pos H); auto|]. apply (long_run H); auto. lra.
Qed.

(* The rate when nu <= a/2 and c > 2: beta min(1, 2 a (c - 2) / (c a + 2 b)). *)
Lemma long_run_rate_small_noise eta a b c nu : 0 < eta -> 0 < b -> 0 < a -> 2 * nu <= a -> 2 < c ->
  long_run_rate eta a b c nu = eta * b * Rmin 1 (2 * a * (c - 2) / (c * a + 2 * b)).
Proof.
  intros He Hb Ha Hn Hc. assert (Hca : 2 * a < c * a) by nra.
  unfold long_run_rate, rate_f, overshoot, Pf. f_equal. f_equal.
  rewrite (Rmax_left a) by (eapply Rle_trans; [apply Rmin_l|lra]).
  assert (eta * (2 * a) < eta * (c * a)) by (apply Rmult_lt_compat_l; lra).
  rewrite Rmax_right by lra. field. split; nra.
Qed.

(* (L), headline. If nu <= a/2 and c > 2, the long-run average of the iterates is positive: the expected sum of the
   first n iterates is at least rho n - C with rho = beta min(1, 2 a (c-2) / (c a + 2 b)) > 0. *)
Theorem long_run_headline S step pos g eta a b B c nu :
  sgd S step pos g eta a b B c nu -> 2 * nu <= a -> 2 < c ->
  let rho := eta * b * Rmin 1 (2 * a * (c - 2) / (c * a + 2 * b)) in
  0 < rho /\ forall n s, - fall eta a nu <= pos s ->
    INR n * rho - long_run_constant eta a b B c nu <= EP step n s (path_sum S pos).
Proof.
  intros H Hn Hc rho. pose proof (a_pos (sgd_is_any_mean H)) as Ha.
  assert (T : long_run_threshold (nu / a) < c).
  { destruct (long_run_threshold_values (nu / a)) as [T _]. rewrite T; [exact Hc|].
    apply (Rmult_le_reg_r a); [auto|]. unfold Rdiv. rewrite Rmult_assoc, Rinv_l by lra. lra. }
  unfold rho. rewrite <- (long_run_rate_small_noise eta a b c nu); auto; try apply H.
  apply (long_run_threshold_suffices S step pos g); auto.
Qed.
